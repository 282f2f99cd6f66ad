// What an error means, in the user's language.

import { formatBytes, knows, t } from "./text.js";

/** Errors after which only a reload helps: this page is older than the server, or its list cannot be continued. */
const OUTDATED = [
  "parameter_unknown", "parameter_repeated", "body_invalid", "cursor_invalid", "cursor_mismatch", "not_found", "method_not_allowed",
  "unsupported_media_type", "request_refused",
];

/** The label of a field of the API, such as `title`, `tags.3` and `metadata.title`; its path if it has none. */
function labelOf(field) {
  const name = [field, `fact_${field}`].find(knows);
  return name ? t(name) : field;
}

/** What went wrong and what to do: in the user's language if there is a text for it, else the server's message. */
export function explain({ status, code, message, details = {} }) {
  const { scope, trashed, reason, max_bytes: bytes } = details;
  const field = (details.field ?? details.parameter)?.replace(/^metadata\.|\.\d+$/g, "");
  const names = [`scope_${scope}`, `reason_${reason}_${field}`, `reason_${reason}`, `error_${code}`];
  if (Object.keys(details).some((name) => name.startsWith("max_"))) names.unshift(`limit_${code}`);
  if (trashed) names.unshift("picture_trashed");
  if (OUTDATED.includes(code)) names.push("error_outdated");
  const name = names.find(knows);
  if (!name) return message || t("error_unexpected", { status });
  return t(name, { ...details, status, message, field: labelOf(field), max_bytes: bytes && formatBytes(bytes) });
}

/** The first sentence of `explain`, and that the page tries again. */
export function explainRetry(error) {
  const [problem] = explain(error).match(/^[^]*?(?:。|[.](?= |$)|$)/);
  return t("state_again", { problem });
}
