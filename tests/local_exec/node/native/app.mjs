export const handler = async (event) => ({ module: true, event });
