/** Where a value comes from: the container's environment first, then what was given to the build. */
export const config = {
  apiBaseUrl: (window.ENV?.VITE_API_BASE_URL || import.meta.env.VITE_API_BASE_URL || "/api").replace(
    /\/+$/,
    "",
  ),
  version: import.meta.env.VITE_APP_VERSION || "dev",
};
