/** The tools program as one file of JavaScript text; made by scripts/build.mjs and vitest.config.ts. */
declare module "tgo:tools" {
  const text: string;
  export default text;
}

declare module "*.sh" {
  const text: string;
  export default text;
}

declare module "*.py" {
  const text: string;
  export default text;
}
