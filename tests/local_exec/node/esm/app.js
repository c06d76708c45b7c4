import { readFile } from "node:fs/promises";
const loaded = await readFile(new URL("package.json", import.meta.url), "utf8");
export const handler = async () => JSON.parse(loaded).type;
export default { other: async () => "of the default export" };
