// Sentences in the page's language, from the JSON that base.html carries (messages/js.toml).

const messages = JSON.parse(document.getElementById("messages")?.textContent ?? "{}");

export const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";

/** The sentence of a key with {names} filled in. An unknown key is an error, not a blank. */
export function text(key, values = {}) {
  const sentence = messages[key];
  if (sentence === undefined) throw new Error(`no message ${key}`);
  return sentence.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name, one, more) => {
    if (more === undefined) return String(values[name]);
    return String(values[name]) === "1" ? one : more; // {n:report|reports}
  });
}

/** "12 秒前": how long ago something was, in milliseconds. */
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 2) return text("just_now");
  if (seconds < 120) return text("seconds_ago", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return text("minutes_ago", { n: minutes });
  return text("hours_ago", { n: Math.floor(minutes / 60) });
}

/** Tell people who listen to the page instead of looking at it. */
export function announce(sentence) {
  const place = document.querySelector("[data-announce]");
  if (place && place.textContent !== sentence) place.textContent = sentence;
}
