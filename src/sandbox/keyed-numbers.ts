/** The numbers of a text such as `/proc/meminfo`, a `Key: 12 kB` or `key 12` per line, by key in lower case. */
export function keyedNumbers(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^([^\s:]+):?\s+(\d+)/.exec(line) ?? [];
    if (key !== undefined) numbers.set(key.toLowerCase(), Number(value));
  }
  return numbers;
}
