// The entry of every page: small parts that each look for their own marks and do nothing without.

import { startActs } from "./acting.js";
import { startChoices } from "./choose.js";
import { guardHtmx } from "./csrf.js";
import { startDigests } from "./digest.js";
import { startEnter } from "./enter.js";
import { startForms } from "./form.js";
import { startLive } from "./live.js";
import { startNarrowing } from "./narrow.js";
import { startReportForms } from "./report-form.js";
import { startKeys } from "./search.js";
import { startSplitTables } from "./split-table.js";
import { startSums } from "./sums.js";
import { startTakingOver } from "./take-over.js";
import { startTicks } from "./ticks.js";
import { startPrinting, startTold } from "./told.js";
import { startTwins } from "./twin.js";

guardHtmx(document);
startForms();
startEnter();
startDigests();
startSums();
startActs();
startSplitTables();
startTakingOver();
startTwins();
startTicks();
startReportForms();
startNarrowing();
startKeys();
startChoices();
startTold();
startPrinting();
// htmx reads its marks at DOMContentLoaded, after modules: a board must be ready to hear.
if (document.readyState === "complete") startLive();
else addEventListener("load", () => startLive(), { once: true });
