function withoutSlash(address: string): string {
  return address.replace(/\/+$/, "");
}

/** The container's environment first, then what was given to the build. */
export const config = {
  api: withoutSlash(window.ENV?.VITE_API_BASE_URL || import.meta.env.VITE_API_BASE_URL || "/api"),
  version: import.meta.env.VITE_APP_VERSION || "dev",
  agent: new URLSearchParams(window.location.search).get("agent") ?? "support",
};
