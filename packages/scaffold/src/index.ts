export { type Ask, type CatalogFile, draftCatalog, type DraftOptions } from "./draft-catalog.js";
export { type Checkout, readCheckout } from "./read-checkout.js";
