/** Advisory locks of ours: each is known by two integers, `odog` in ASCII and what is locked. */
export const LOCK_SPACE = 0x6f_64_6f_67;

/** Held by the one instance that changes the schema. */
export const SCHEMA_LOCK = 1;
/** Shared by all transactions that write positions. */
export const ROLLUP_WRITER_LOCK = 2;
/** Held by the one instance that rolls up. */
export const ROLLUP_LOCK = 3;
