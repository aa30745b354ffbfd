/**
 * The list of devices that core publishes in Redis and ingest decides by, so that ingest needs no database: a set of
 * the identifiers that are enabled and one of those that are disabled. One hash tag keeps the keys on one node, so
 * that a new list replaces the old one in a single transaction.
 */
export const ENABLED_DEVICES_KEY = 'devices:{list}:enabled';
export const DISABLED_DEVICES_KEY = 'devices:{list}:disabled';
/** Digest of the published list; absent until a first one was published. */
export const DEVICE_LIST_DIGEST_KEY = 'devices:{list}:digest';
