export { Redactor, SHORTEST_SECRET } from "./redactor.js";
export { secretsIn } from "./secrets-in.js";
export { maskUrlCredentials, urlCredentials } from "./url-credentials.js";
