/** Where commands see the host's CA bundle: below /run, where no image has files. */
export const CA_BUNDLE = "/run/host-ca-bundle.crt";
