/** What TOML holds. */
export type TomlTable = { readonly [key: string]: unknown };

/**
 * Reads TOML; numbers that JavaScript's cannot hold come as bigint. The parser is loaded when one is asked for.
 * @throws its error, of which the first line says what is wrong.
 */
export async function parseToml(text: string): Promise<TomlTable> {
  const { parse } = await import("smol-toml");
  return parse(text, { integersAsBigInt: "asNeeded" });
}
