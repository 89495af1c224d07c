// Kafka Streams counting facts by county, with its defaults: one thread, RocksDB, a changelog.
// java -cp 'JARS/*' SumByCounty.java SERVERS TOPIC events|frames WANTED STATE_FOLDER
// events: one fact a message, its county the key. frames: our messages, many facts in each.
// Prints one JSON line when it has counted WANTED facts, timed from the first.
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.*;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;

public class SumByCounty {
    static final byte[] DIVISION = "\"division\":\"".getBytes(StandardCharsets.UTF_8);
    static final AtomicLong counted = new AtomicLong(), began = new AtomicLong();
    static final CountDownLatch done = new CountDownLatch(1);
    static long wanted;

    static void count(int facts) {
        began.compareAndSet(0, System.nanoTime());
        if (counted.addAndGet(facts) >= wanted) done.countDown();
    }

    /** The county that a stored fact names. */
    static String county(byte[] state) {
        for (int at = 0, same = 0; at < state.length; at++) {
            same = state[at] == DIVISION[same] ? same + 1 : state[at] == DIVISION[0] ? 1 : 0;
            if (same == DIVISION.length) return new String(state, at + 1, 36, StandardCharsets.US_ASCII);
        }
        throw new IllegalArgumentException("a fact without a division");
    }

    static class Frames extends ContextualProcessor<String, byte[], Void, Void> {
        KeyValueStore<String, Long> sums;

        @Override public void init(ProcessorContext<Void, Void> context) {
            super.init(context);
            sums = context.getStateStore("sums");
        }

        @Override public void process(Record<String, byte[]> frame) {
            try (MessageUnpacker in = MessagePack.newDefaultUnpacker(frame.value())) {
                in.unpackArrayHeader();
                for (int n = 0; n < 4; n++) in.unpackLong(); // partition, previous, first, last
                int rows = in.unpackArrayHeader();
                for (int n = 0; n < rows; n++) {
                    in.skipValue(in.unpackArrayHeader() - 1); // position, stream, version, topic
                    String county = county(in.readPayload(in.unpackBinaryHeader()));
                    Long sum = sums.get(county);
                    sums.put(county, sum == null ? 1 : sum + 1);
                }
                if (rows > 0) count(rows);
            } catch (java.io.IOException problem) {
                throw new java.io.UncheckedIOException(problem);
            }
        }
    }

    public static void main(String[] given) throws Exception {
        wanted = Long.parseLong(given[3]);
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "sum-by-county-" + given[1] + System.nanoTime());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given[0]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, given[4]);
        settings.put("auto.offset.reset", "earliest");
        StreamsBuilder builder = new StreamsBuilder();
        var facts = builder.stream(given[1], Consumed.with(Serdes.String(), Serdes.ByteArray()));
        if (given[2].equals("events")) {
            facts.groupByKey().aggregate(() -> 0L, (county, state, sum) -> {
                count(1);
                return sum + 1;
            }, Materialized.with(Serdes.String(), Serdes.Long()));
        } else {
            var sums = Stores.persistentKeyValueStore("sums");
            builder.addStateStore(Stores.keyValueStoreBuilder(sums, Serdes.String(), Serdes.Long()));
            facts.process(Frames::new, "sums");
        }
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.start();
        done.await();
        double seconds = (System.nanoTime() - began.get()) / 1e9;
        System.out.printf("{\"seconds\": %.4f, \"facts\": %d}%n", seconds, counted.get());
        streams.close(java.time.Duration.ofSeconds(10));
    }
}
