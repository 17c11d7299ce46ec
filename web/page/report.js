/**
 * A result of the benchmark as a text to send to whoever mends the engine: the GPU, what was found wrong with it, in which
 * forms kernels are made for it, and how fast it is. No address, no file, no name of a model, nothing that was said.
 *
 * @import { Ready } from "../shared/protocol.js"
 */

/** @param {Record<string, any>} result of one model @returns {string} Markdown */
export function report(result) {
  const { vendor, architecture, device, description, features, limits, trial } = /** @type {Ready["adapter"]} */ (
    result.adapter
  );
  const {
    kind,
    architecture: family,
    parameters,
    quantization,
    context_length,
  } = /** @type {Ready["model"]} */ (result.model);
  const { summary, kernels, forms_us, step_ms, read_back_ms } = result.bench;
  return [
    "## GPU",
    list({
      Adapter: [vendor, architecture, device, description].filter(Boolean).join(", ") || "without a name",
      Features: features.join(", ") || "none",
      Limits: pairs(limits).join(", "),
      "Not used": pairs(trial.distrusted).join("; ") || "nothing; all that was tried is right",
      Browser: result.user_agent,
      Site: result.site_version,
      Model: `${family}, ${parameters} parameters, ${quantization}, ${kind}, ${context_length} tokens of context`,
    }),
    "## Speed",
    list({ ...rounded(summary), ...rounded({ "step, ms": step_ms, "read-back, ms": read_back_ms }) }),
    "## Kernels, and the forms they are made in",
    list(
      Object.fromEntries(
        Object.entries(kernels).map(([name, forms]) => [name, forms.filter(Boolean).join("; ") || "one form"]),
      ),
    ),
    "## Microseconds of products, by the form that they could have",
    list(rounded({ ...trial.timed, ...forms_us })) || "- not measured on a software adapter",
    "## Errors of kernels that were tried",
    list(Object.fromEntries(Object.entries(trial.tried).map(([name, error]) => [name, error.toExponential(1)]))),
  ].join("\n\n");
}

/** @param {Record<string, string>} facts */
const list = (facts) =>
  Object.entries(facts)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join("\n");

/** @param {Record<string, string | number>} facts */
const pairs = (facts) => Object.entries(facts).map(([name, value]) => `${name} (${value})`);

/** @param {Record<string, number | undefined>} figures @returns {Record<string, string>} those there are */
const rounded = (figures) =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [[name, value.toPrecision(3)]])),
  );
