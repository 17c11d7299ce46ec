/**
 * What OpenAI's `response_format` asks for, in the engine's own words.
 *
 * https://platform.openai.com/docs/guides/structured-outputs
 *
 * @import { FormOptions } from "../shared/protocol.js"
 */

/**
 * @param {any} format
 * @returns {FormOptions}
 * @throws {TypeError} for one that there is not
 */
export function formOf(format) {
  switch (format?.type) {
    case undefined:
      if (format === undefined || format === null) return {};
      break;
    case "text":
      return {};
    case "json_object":
      return { schema: { type: "object" } };
    case "json_schema":
      if (format.json_schema && "schema" in format.json_schema) return { schema: format.json_schema.schema };
      throw new TypeError("response_format.json_schema has no schema");
  }
  throw new TypeError('response_format has a type that is none of "text", "json_object" and "json_schema"');
}
