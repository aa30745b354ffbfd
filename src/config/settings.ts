/**
 * The one table of settings. It yields the type `Settings`, the validation, `.env.example` and `docs/config.md`.
 * Every setting is an environment variable of the same name; nothing else reads the environment.
 */
import { hostname } from 'node:os';
import type { Setting } from './setting.ts';
import { choice, choices, integer, optionalText, parsed, port, text, url } from './setting.ts';
import { parseListeners } from './listeners.ts';
import { parseOrigins } from './origins.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;

export const ROLE_NAMES = ['ingest', 'core', 'live', 'query'] as const;

const general = {
  ROLES: choices({ of: ROLE_NAMES, default: 'ingest,core,live,query', doc: 'What this process does: `ingest` takes records in, over TCP, UDP and HTTP, `core` writes to the database, `live` shows viewers what comes in, `query` answers questions over HTTP.' }),
  INSTANCE_ID: text({ default: hostname(), doc: 'Name of this process among its like: the base of its consumer name and of its database connections. Keep it the same over restarts. Default: the host name.' }),
  LOG_LEVEL: choice({ of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], default: 'info', doc: 'Least severe level that is logged.' }),
  LOG_FORMAT: choice({ of: ['auto', 'json', 'pretty'], default: 'auto', doc: '`auto` is `pretty` on a terminal and `json` elsewhere.' }),
  SHUTDOWN_TIMEOUT_MS: integer({ default: 15_000, min: 100, max: 10 * MINUTE_MS, unit: 'ms', doc: 'Longest time from SIGTERM to the end of the process.' }),
  AUTH_PROVIDER: choice({ of: ['local', 'directus'], default: 'local', doc: 'Who says who may see and do what: `local` knows the administrator, who has AUTH_TOKEN, API keys and users; `directus` asks a Directus about every user.' }),
  AUTH_TOKEN: optionalText({ min: 16, secret: true, doc: 'Token of the administrator under AUTH_PROVIDER=local; without one there is none, and API keys and users are all that can sign in. In embedded mode one is generated, kept in the data directory and printed when this is not set.' }),
  ODOGRAPH_DATA_DIR: text({ default: '.odograph', doc: 'Where embedded PostgreSQL and Redis keep their data, and the token; used when REDIS_URL or POSTGRES_URL is not set.' }),
} as const;

const ports = {
  METRICS_PORT: port({ default: 9090, doc: 'Port of `/metrics`, `/healthz` and `/readyz`. 0 takes a free port.' }),
  METRICS_HOST: text({ default: '0.0.0.0', doc: 'Address that the metrics port is bound to.' }),
  API_PORT: port({ default: 8080, doc: 'Port of the HTTP API, for the roles `ingest` (writing) and `query` (reading). 0 takes a free port.' }),
  API_HOST: text({ default: '0.0.0.0', doc: 'Address that the port of the HTTP API is bound to.' }),
  LIVE_WS_PORT: port({ default: 8081, doc: 'Port of the live server: WebSocket at `/live`, server-sent events at `/live/sse`. 0 takes a free port.' }),
  LIVE_WS_HOST: text({ default: '0.0.0.0', doc: 'Address that the live port is bound to.' }),
} as const;

const stream = {
  REDIS_URL: url({ schemes: ['redis:', 'rediss:'], doc: 'Redis 6.2 or later with an append-only file and `maxmemory-policy noeviction`. Absent: an embedded Redis.' }),
  STREAM_PARTITIONS: integer({ default: 4, min: 1, max: 256, doc: 'Number of telemetry streams. The same in every process; change it only while the streams are empty.' }),
  STREAM_RETENTION_MS: integer({ default: MINUTE_MS, min: 0, max: 7 * DAY_MS, unit: 'ms', doc: 'How long entries stay in the stream after every durable consumer group has acknowledged them, as far as `STREAM_RETENTION_BYTES` reaches.' }),
  STREAM_RETENTION_BYTES: integer({ default: 64 * MIB, min: 0, max: 1024 * 1024 * MIB, unit: 'bytes', doc: 'Memory of Redis over which acknowledged entries go before `STREAM_RETENTION_MS`, once every live server has read them.' }),
  STREAM_TRIM_INTERVAL_MS: integer({ default: 1_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'How often acknowledged entries are trimmed.' }),
} as const;

const ingest = {
  INGEST_LISTENERS: parsed({ default: 'teltonika:5027,gt06:5023', expected: 'a list like teltonika:5027,teltonika+tls:5028,teltonika+udp:5027 with each port once', parse: parseListeners, doc: 'What to listen on: `protocol:port`, `protocol+tls:port` or `protocol+udp:port`, separated by commas. Port 0 takes a free port.' }),
  INGEST_HOST: text({ default: '0.0.0.0', doc: 'Address that the tracker ports are bound to.' }),
  INGEST_TLS_CERT_FILE: optionalText({ doc: 'PEM file with the certificate chain of `+tls` listeners.' }),
  INGEST_TLS_KEY_FILE: optionalText({ doc: 'PEM file with the private key of `+tls` listeners.' }),
  INGEST_DURABILITY: choice({ of: ['memory', 'fsync', 'replica'], default: 'memory', doc: 'What an acknowledgement to a tracker means: the record is in the memory of Redis, on the disk of Redis (WAITAOF, or `appendfsync always`), or on INGEST_REPLICAS replicas as well.' }),
  INGEST_REPLICAS: integer({ default: 1, min: 1, max: 16, doc: 'How many replicas must have a record under INGEST_DURABILITY=replica.' }),
  INGEST_APPEND_TIMEOUT_MS: integer({ default: 5_000, min: 100, max: 5 * MINUTE_MS, unit: 'ms', doc: 'How long one append to Redis, and its fsync or replication, may take before it is tried again.' }),
  INGEST_APPEND_QUEUE_BYTES: integer({ default: 64 * MIB, min: MIB, max: 4096 * MIB, unit: 'bytes', doc: 'Bytes waiting for Redis at which every tracker socket is paused.' }),
  INGEST_MAX_PENDING_FRAMES: integer({ default: 16, min: 1, max: 1024, doc: 'Frames of one connection waiting for Redis at which its socket is paused.' }),
  INGEST_UNKNOWN_DEVICES: choice({ of: ['accept', 'reject'], default: 'accept', doc: '`accept` registers a device on its first record, `reject` lets in only devices that are in the table `devices` and enabled.' }),
  INGEST_NEW_DEVICES_PER_MINUTE: integer({ default: 600, min: 0, max: 10_000_000, unit: 'devices', doc: "Devices that are not in the table `devices` and are let in under `accept`, each minute and ingest process, beyond a burst of ten minutes' worth; 0: no limit. Further ones are turned away and may come again." }),
  DEVICE_LIST_REFRESH_MS: integer({ default: 10_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'How often core publishes the list of devices to Redis and ingest reads it.' }),
  INGEST_LOGIN_TIMEOUT_MS: integer({ default: 30_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'Longest time from connecting to the login.' }),
  INGEST_FRAME_TIMEOUT_MS: integer({ default: 60_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'Longest time from the first byte of a frame to its last.' }),
  INGEST_IDLE_TIMEOUT_MS: integer({ default: 30 * MINUTE_MS, min: 100, max: DAY_MS, unit: 'ms', doc: 'Longest silence of a connection.' }),
  INGEST_MAX_CONNECTIONS: integer({ default: 50_000, min: 1, max: 1_000_000, doc: 'Connections of all listeners together.' }),
  INGEST_MAX_CONNECTIONS_PER_ADDRESS: integer({ default: 10_000, min: 1, max: 1_000_000, doc: 'Connections from one address. Trackers behind one carrier gateway share an address.' }),
  INGEST_MAX_FRAME_BYTES: integer({ default: 64 * 1024, min: 512, max: 16 * MIB, unit: 'bytes', doc: 'Longest frame; a protocol may have a lower limit of its own.' }),
  INGEST_POISON_ATTEMPTS: integer({ default: 3, min: 1, max: 100, doc: 'A frame with a good checksum that is refused is dead-lettered and acknowledged when it comes this many times.' }),
  MAX_FUTURE_MS: integer({ default: DAY_MS, min: 0, max: 36_500 * DAY_MS, unit: 'ms', doc: "How far a record's time may be ahead of the server's clock; beyond it the record becomes a dead letter." }),
  MAX_PAST_MS: integer({ default: 36_500 * DAY_MS, min: HOUR_MS, max: 36_500 * DAY_MS, unit: 'ms', doc: 'How old a record of a tracker may be when it comes; an older one, such as that of a clock that was never set, becomes a dead letter. The default takes whatever a tracker has kept; every day within it can get a partition or a chunk of its own.' }),
} as const;

const ingestHttp = {
  INGEST_HTTP_MAX_BODY_BYTES: integer({ default: 8 * MIB, min: 1024, max: 256 * MIB, unit: 'bytes', doc: 'Longest body of `POST /v1/records` that is read as a whole, decompressed: JSON, and whatever comes with `Idempotency-Key` or `Prefer: handling=strict`.' }),
  INGEST_HTTP_MAX_STREAM_BYTES: integer({ default: 1024 * MIB, min: 1024, max: 1024 * 1024 * MIB, unit: 'bytes', doc: 'Longest NDJSON stream of `POST /v1/records`, decompressed. It is read in parts and never held in memory.' }),
  INGEST_HTTP_STREAM_IDLE_MS: integer({ default: 30_000, min: 1_000, max: HOUR_MS, unit: 'ms', doc: 'Longest silence within an NDJSON stream of `POST /v1/records`, while ingest would take more.' }),
  INGEST_HTTP_STREAM_MIN_BYTES_PER_SECOND: integer({ default: 100, min: 0, max: MIB, unit: 'bytes', doc: 'What of an NDJSON stream has to come each second, compressed as it is, on average over `INGEST_HTTP_STREAM_IDLE_MS`; 0: any byte will do.' }),
  INGEST_HTTP_STREAM_TIMEOUT_MS: integer({ default: HOUR_MS, min: 1_000, max: DAY_MS, unit: 'ms', doc: 'Longest time that an NDJSON stream may take. Other bodies have API_BODY_TIMEOUT_MS.' }),
  INGEST_HTTP_MAX_RECORD_BYTES: integer({ default: 64 * 1024, min: 1024, max: MIB, unit: 'bytes', doc: 'Longest record over HTTP: a line of NDJSON, or what it is on the stream.' }),
  INGEST_HTTP_MAX_PAST_MS: integer({ default: 366 * DAY_MS, min: 0, max: 36_500 * DAY_MS, unit: 'ms', doc: 'How old a record over HTTP may be. Who has the scope `admin` may write older ones.' }),
  INGEST_HTTP_MAX_FUTURE_MS: integer({ default: 5 * MINUTE_MS, min: 0, max: DAY_MS, unit: 'ms', doc: "How far the time of a record over HTTP may be ahead of the server's clock." }),
  INGEST_HTTP_REQUESTS_PER_MINUTE: integer({ default: 10_000, min: 0, max: 100_000_000, unit: 'requests', doc: 'Requests that one caller may write with in any minute, all processes together; 0: no limit.' }),
  INGEST_HTTP_IDEMPOTENCY_MS: integer({ default: DAY_MS, min: 1_000, max: 7 * DAY_MS, unit: 'ms', doc: 'How long the answer to a request with `Idempotency-Key` is kept in Redis, some 200 bytes each.' }),
} as const;

const core = {
  PROCESSOR_READ_COUNT: integer({ default: 200, min: 1, max: 10_000, unit: 'entries', doc: 'Stream entries asked for in one read.' }),
  PROCESSOR_BLOCK_MS: integer({ default: 1_000, min: 10, max: 30_000, unit: 'ms', doc: 'How long one read waits for entries.' }),
  PROCESSOR_BATCH_RECORDS: integer({ default: 2_000, min: 1, max: 100_000, unit: 'records', doc: 'Most records written in one transaction.' }),
  PROCESSOR_QUEUE_RECORDS: integer({ default: 10_000, min: 1, max: 1_000_000, unit: 'records', doc: 'Records read ahead of the database at which reading pauses.' }),
  PROCESSOR_WRITERS: integer({ default: 3, min: 1, max: 32, doc: 'Batches written at the same time, each on a connection of its own.' }),
  PROCESSOR_NICE: integer({ default: 5, min: 0, max: 19, doc: 'How far a process of the role core alone gives way where the CPUs are short, as nice(1) has it: trackers wait for ingest, and nobody waits for core.' }),
  PROCESSOR_CLAIM_INTERVAL_MS: integer({ default: 15_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'How often entries of dead consumers are claimed, and the own ones in hand are renewed.' }),
  PROCESSOR_CLAIM_IDLE_MS: integer({ default: 60_000, min: 200, max: DAY_MS, unit: 'ms', doc: 'An entry that its consumer has not touched for this long is claimed by another. At least twice PROCESSOR_CLAIM_INTERVAL_MS.' }),
  PROCESSOR_CONSUMER_EXPIRY_MS: integer({ default: HOUR_MS, min: 1_000, max: 30 * DAY_MS, unit: 'ms', doc: 'A consumer without pending entries that was silent for this long is removed from the group.' }),
  MAX_DELIVERIES: integer({ default: 10, min: 1, max: 1_000, doc: 'Deliveries of a stream entry after which it becomes a dead letter.' }),
  DEAD_LETTER_MAX_BYTES: integer({ default: 256 * MIB, min: 64 * 1024, max: 1024 * 1024 * MIB, unit: 'bytes', doc: 'Memory of Redis that dead letters may take; over it the oldest are dropped.' }),
  DEVICE_STATE_CAPACITY: integer({ default: 100_000, min: 1, max: 10_000_000, unit: 'devices', doc: 'Devices whose id and newest state are kept in memory.' }),
} as const;

const live = {
  LIVE_ALLOWED_ORIGINS: parsed({ default: '', expected: 'a list like https://fleet.example.com,http://localhost:5173: scheme, host and port, no path', parse: parseOrigins, doc: 'Web origins whose pages may connect, separated by commas. Pages of the host and port that the request names may connect without being listed, but not with a cookie.' }),
  LIVE_PROXY_HOPS: integer({ default: 0, min: 0, max: 16, doc: 'Reverse proxies in front of the live server that append to `X-Forwarded-For`; 0: the header is not believed.' }),
  LIVE_WS_MAX_CONNECTIONS: integer({ default: 20_000, min: 1, max: 1_000_000, doc: 'Viewers connected at once, WebSocket and server-sent events together.' }),
  LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS: integer({ default: 10_000, min: 1, max: 1_000_000, doc: 'Viewers connected from one address.' }),
  LIVE_WS_MAX_SUBSCRIPTIONS: integer({ default: 10_000, min: 1, max: 1_000_000, doc: 'Topics that one connection may be subscribed to.' }),
  LIVE_WS_MAX_MESSAGE_BYTES: integer({ default: 256 * 1024, min: 1024, max: 16 * MIB, unit: 'bytes', doc: 'Longest message of a client; a longer one closes the connection.' }),
  LIVE_WS_MAX_MESSAGES_PER_SECOND: integer({ default: 50, min: 1, max: 100_000, doc: 'Messages of one client per second, on average over some seconds; further ones are refused, and who goes on sending is closed.' }),
  LIVE_WS_AUTH_TIMEOUT_MS: integer({ default: 10_000, min: 100, max: 5 * MINUTE_MS, unit: 'ms', doc: 'Longest time from connecting to a valid credential.' }),
  LIVE_WS_PING_INTERVAL_MS: integer({ default: 30_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'How often a viewer is pinged; one that misses two pongs is disconnected. Also the pace of the comments that keep server-sent events alive.' }),
  LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: integer({ default: MIB, min: 4 * 1024, max: 1024 * MIB, unit: 'bytes', doc: 'Bytes waiting for a viewer at which only the newest position of each device is kept for it.' }),
  LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: integer({ default: 30_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'A viewer that takes nothing of what waits for it for this long is disconnected.' }),
  LIVE_WS_DRAIN_TIMEOUT_MS: integer({ default: 1_000, min: 0, max: MINUTE_MS, unit: 'ms', doc: 'How long a stop waits for viewers to take what was written and to say goodbye; at most a tenth of SHUTDOWN_TIMEOUT_MS is used.' }),
  LIVE_BROADCAST_GROUP_PREFIX: text({ default: 'live-broadcast', doc: 'Beginning of the name of the consumer group that each live process has for itself.' }),
  LIVE_BROADCAST_BATCH_SIZE: integer({ default: 500, min: 1, max: 10_000, unit: 'entries', doc: 'Stream entries of each partition asked for in one read.' }),
  LIVE_BROADCAST_BATCH_BLOCK_MS: integer({ default: 1_000, min: 10, max: 30_000, unit: 'ms', doc: 'How long one read waits for entries.' }),
  LIVE_BROADCAST_TICK_MS: integer({ default: 5, min: 0, max: 10_000, unit: 'ms', doc: 'Least time from one read to the next: what comes meanwhile is written to each viewer at once.' }),
  LIVE_BROADCAST_GROUP_EXPIRY_MS: integer({ default: MINUTE_MS, min: 1_000, max: DAY_MS, unit: 'ms', doc: 'Consumer groups of live processes that were silent for this long are removed.' }),
  LIVE_DEVICE_EVENT_REFRESH_MS: integer({ default: 30_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'How often the members of groups are read from the database again; changes also announce themselves.' }),
  LIVE_SNAPSHOT_TIMEOUT_MS: integer({ default: 3_000, min: 100, max: MINUTE_MS, unit: 'ms', doc: 'Longest time that a snapshot waits for the database.' }),
  LIVE_AUTHZ_REVALIDATE_MS: integer({ default: MINUTE_MS, min: 1_000, max: 10 * MINUTE_MS, unit: 'ms', doc: 'Longest time that a decision of Directus stands: it is asked again before, and a subscription ends when it cannot be asked.' }),
} as const;

const api = {
  API_PROXY_HOPS: integer({ default: 0, min: 0, max: 16, doc: 'Reverse proxies in front of the HTTP API that append to `X-Forwarded-For`; 0: the `X-Forwarded-…` headers are not believed.' }),
  API_ALLOWED_ORIGINS: parsed({ default: '', expected: 'a list like https://fleet.example.com,http://localhost:5173: scheme, host and port, no path', parse: parseOrigins, doc: "Web origins whose pages may call the HTTP API, separated by commas. The API's own pages may without being listed." }),
  API_COOKIE_SECURE: choice({ of: ['auto', 'always', 'never'], default: 'auto', doc: 'Whether the session cookie is kept to https: `auto` where the request came over https, as the nearest of API_PROXY_HOPS proxies says.' }),
  API_BODY_TIMEOUT_MS: integer({ default: MINUTE_MS, min: 1_000, max: HOUR_MS, unit: 'ms', doc: 'Longest time that the body of a request may take, unless it is an NDJSON stream, which has limits of its own. A longer one lets slow clients send more, and hold what they have sent for longer.' }),
  API_SESSION_TTL_MS: integer({ default: DAY_MS, min: 10_000, max: 30 * DAY_MS, unit: 'ms', doc: 'How long a browser session lasts.' }),
} as const;

const directus = {
  DIRECTUS_BASE_URL: url({ schemes: ['http:', 'https:'], doc: 'Where Odograph reaches Directus, best without a proxy or CDN between, for AUTH_PROVIDER=directus.' }),
  DIRECTUS_AUTH_TIMEOUT_MS: integer({ default: 5_000, min: 100, max: MINUTE_MS, unit: 'ms', doc: 'Longest time that asking who somebody is may take, waiting for a turn included.' }),
  DIRECTUS_AUTHZ_TIMEOUT_MS: integer({ default: 5_000, min: 100, max: MINUTE_MS, unit: 'ms', doc: 'Longest time that asking what somebody may read may take, waiting for a turn included.' }),
  DIRECTUS_MAX_REQUESTS: integer({ default: 8, min: 1, max: 1_000, doc: 'Requests to Directus at the same time; further ones wait.' }),
  DIRECTUS_COOKIE_NAME: text({ default: 'directus_session_token', doc: "Name of Directus's session cookie (SESSION_COOKIE_NAME there)." }),
  DIRECTUS_DEVICE_COLLECTION: text({ default: 'devices', doc: 'Collection of the trackers.' }),
  DIRECTUS_DEVICE_FIELD: text({ default: 'unique_id', doc: "Its field with the tracker's own identifier." }),
  DIRECTUS_GROUP_COLLECTION: text({ default: 'groups', doc: 'Collection of the groups.' }),
  DIRECTUS_GROUP_FIELD: text({ default: 'id', doc: "Its field with the group's id, a UUID." }),
  DIRECTUS_SERVICE_TOKEN: optionalText({ min: 8, secret: true, doc: 'Static token of a service account that may read id, status and role of users. With it a suspended user is known at once, and what is changed in Directus takes effect at once where its WebSocket is enabled.' }),
  DIRECTUS_UNKNOWN_STATUS: choice({ of: ['refuse', 'accept'], default: 'refuse', doc: 'What becomes of a user with a JWT whose status neither the user nor the service account may read. Directus goes on accepting the JWT of a suspended user until it expires, so `accept` means up to that long.' }),
} as const;

const database = {
  POSTGRES_URL: url({ schemes: ['postgres:', 'postgresql:'], doc: 'PostgreSQL 15 or later, with TimescaleDB where it can be had. Absent: an embedded PostgreSQL.' }),
  POSTGRES_POOL_SIZE: integer({ default: 8, min: 2, max: 200, unit: 'connections', doc: 'Most connections of this process to PostgreSQL.' }),
  POSTGRES_STATEMENT_TIMEOUT_MS: integer({ default: 60_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'Longest time of one statement of the processor.' }),
  POSITIONS_STORAGE: choice({ of: ['auto', 'timescaledb', 'partitions'], default: 'auto', doc: 'How `positions` is kept, decided when the table is made: a hypertable, or a natively partitioned table. `auto` is `timescaledb` where the server has the extension.' }),
  POSITIONS_RETENTION_DAYS: integer({ default: 90, min: 0, max: 36_500, unit: 'days', doc: 'Positions older than this are dropped; 0 keeps all.' }),
  POSITIONS_COMPRESS_AFTER_DAYS: integer({ default: 7, min: 0, max: 36_500, unit: 'days', doc: 'Chunks older than this are compressed (TimescaleDB); 0 never compresses.' }),
  POSITIONS_PARTITION_DAYS_AHEAD: integer({ default: 7, min: 1, max: 366, unit: 'days', doc: 'Daily partitions made ahead (native partitions).' }),
  POSITIONS_PARTITION_DAYS_BEHIND: integer({ default: 31, min: 0, max: 366, unit: 'days', doc: 'Daily partitions made for the past when the table is new (native partitions). Older records go to the default partition.' }),
  ROLLUP_MINUTES_RETENTION_DAYS: integer({ default: 365, min: 0, max: 36_500, unit: 'days', doc: 'Rollups by minute older than this are dropped; 0 keeps all.' }),
  ROLLUP_HOURS_RETENTION_DAYS: integer({ default: 1_825, min: 0, max: 36_500, unit: 'days', doc: 'Rollups by hour older than this are dropped; 0 keeps all.' }),
  ROLLUP_INTERVAL_MS: integer({ default: 30_000, min: 50, max: HOUR_MS, unit: 'ms', doc: 'How often minutes and hours that are over or got late records are rolled up. Until then they are answered from `positions`.' }),
} as const;

const query = {
  POSTGRES_READ_URL: url({ schemes: ['postgres:', 'postgresql:'], doc: 'PostgreSQL that questions are put to, such as a replica. Absent: that of POSTGRES_URL.' }),
  QUERY_POOL_SIZE: integer({ default: 8, min: 2, max: 200, unit: 'connections', doc: 'Most connections of the role query to PostgreSQL, all of them read-only.' }),
  QUERY_STATEMENT_TIMEOUT_MS: integer({ default: 10_000, min: 100, max: HOUR_MS, unit: 'ms', doc: 'Longest time of one question to the database; a download puts one for every thousand rows.' }),
  QUERY_ONLINE_MS: integer({ default: 10 * MINUTE_MS, min: 1_000, max: 366 * DAY_MS, unit: 'ms', doc: 'A device is `online` as long as its last record came in no longer ago.' }),
} as const;

const protection = {
  QUERY_EXPENSIVE_CONNECTIONS: integer({ default: 2, min: 1, max: 199, unit: 'connections', doc: 'Connections of QUERY_POOL_SIZE that expensive questions may have, those that read more than some ten thousand rows; the others are for cheap ones alone.' }),
  QUERY_QUEUE_LIMIT: integer({ default: 200, min: 0, max: 100_000, unit: 'questions', doc: 'Questions, of cheap ones and of expensive ones each, that may wait for a connection; further ones are refused (503).' }),
  QUERY_QUEUE_TIMEOUT_MS: integer({ default: 5_000, min: 10, max: 10 * MINUTE_MS, unit: 'ms', doc: 'Longest time that a question waits for a connection before it is refused (503).' }),
  QUERY_MAX_ROWS: integer({ default: 5_000_000, min: 1_000, max: 1_000_000_000, unit: 'rows', doc: 'Rows that one question may read, as they are estimated before; a question for more is refused (422). Of summaries, which take more work, a quarter.' }),
  QUERY_CACHE_MAX_BYTES: integer({ default: 64 * MIB, min: 0, max: 1024 * 1024 * MIB, unit: 'bytes', doc: 'Memory of Redis that the cached answers of this process may take, beside the telemetry stream there; 0: nothing is cached.' }),
  QUERY_CACHE_MAX_ANSWER_BYTES: integer({ default: MIB, min: 1_024, max: 256 * MIB, unit: 'bytes', doc: 'A longer answer is not cached.' }),
} as const;

/** The settings in the sections and the order in which documents show them. */
export const SECTIONS = [
  { title: 'General', settings: general },
  { title: 'Ports', settings: ports },
  { title: 'Stream', settings: stream },
  { title: 'Ingest', settings: ingest },
  { title: 'Ingest over HTTP', settings: ingestHttp },
  { title: 'Processor', settings: core },
  { title: 'Live', settings: live },
  { title: 'HTTP API', settings: api },
  { title: 'Directus', settings: directus },
  { title: 'Database', settings: database },
  { title: 'Query', settings: query },
  { title: 'Query: limits and cache', settings: protection },
] as const satisfies readonly { title: string; settings: Record<string, Setting<unknown>> }[];

export const SETTINGS = {
  ...general, ...ports, ...stream, ...ingest, ...ingestHttp, ...core, ...live, ...api, ...directus, ...database,
  ...query, ...protection,
} as const;

export type SettingName = keyof typeof SETTINGS;

/** Validated settings: numbers, lists and choices, by the name of the environment variable. */
export type Settings = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name] extends Setting<infer T> ? T : never;
};
