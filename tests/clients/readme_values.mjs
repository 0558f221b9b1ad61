// What the environment variables of the README and the guide may be set to.

/** A scalar of P-256. */
const VAPID_KEY = Buffer.from([...Array(31).fill(0), 1]).toString('base64url');

/** That of a password which nobody uses. */
const HASH = '$2b$10$heqvAkYMez.Va6Et2uXInOnkCT6/uQj1brkrbyG3LpopDklcq7ZOS';

/** Values that each variable takes, and one that it refuses, where not every text is fine. */
export const VALUES = {
  PORT: { takes: ['0', '3000'], refuses: 'three' },
  JWT_SECRET: { takes: ['another one of some length'], refuses: '' },
  API_KEYS: { takes: ['one,two', `sha256:${'0'.repeat(64)}`], refuses: 'sha256:0' },
  ALLOWED_ORIGINS: { takes: ['*', 'https://a.example,http://b.example:8080'], refuses: 'a.example' },
  CLIENT_URL: { takes: ['https://a.example/'], refuses: 'a.example' },
  DATABASE_URL: { takes: ['sqlite:own.db', 'postgres://roomcast@localhost/roomcast'], refuses: 'mysql://localhost/test' },
  REDIS_URL: { takes: ['redis://localhost:6379', 'rediss-cluster://user:password@r:6380'], refuses: 'http://r' },
  ROOMCAST_CLUSTER__LEASE_MS: { takes: ['5000'], refuses: '0' },
  ROOMCAST_CLUSTER__POLL_MS: { takes: ['500'], refuses: '0' },
  ROOMCAST_CLUSTER__REDIS_REQUIRED: { takes: ['true', 'false'], refuses: 'perhaps' },
  LOG_LEVEL: { takes: ['debug', 'warn'], refuses: 'loud' },
  ROOMCAST_AUTH__JWKS_FILE: { takes: ['keys.json'], refuses: 'missing.json' },
  ROOMCAST_AUTH__JWKS_URL: { takes: ['https://id.example/keys'], refuses: 'id.example' },
  ROOMCAST_AUTH__ISSUER: { takes: ['https://id.example'] },
  ROOMCAST_AUTH__AUDIENCE: { takes: ['chat'] },
  ROOMCAST_AUTH__GUESTS: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_ROOMS__WEBHOOK_SECRET: { takes: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], refuses: 'whsec_%' },
  ROOMCAST_ROOMS__ACCESS: { takes: ['claims', 'members', 'open', 'webhook'], refuses: 'everyone' },
  ROOMCAST_STORE__SYNCHRONOUS: { takes: ['full', 'normal'], refuses: 'never' },
  ROOMCAST_SOCKET__EIO3: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_SOCKET__PENDING_BYTES: { takes: ['65536'], refuses: '0' },
  ROOMCAST_SOCKET__STALL_LIMIT_MS: { takes: ['3000'], refuses: '0' },
  ROOMCAST_RECOVERY__ENABLED: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_RECOVERY__WINDOW_MS: { takes: ['60000'], refuses: '0' },
  ROOMCAST_SERVER__TRUSTED_PROXIES: { takes: ['192.0.2.1,10.0.0.0/8', '::1'], refuses: 'proxy.example' },
  ROOMCAST_SERVER__DEMO: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_SERVER__HEADER_READ_TIMEOUT_MS: { takes: ['60000'], refuses: '0' },
  ROOMCAST_SERVER__DRAIN_DEADLINE_MS: { takes: ['0', '10000'], refuses: 'soon' },
  ROOMCAST_SERVER__DRAIN_PER_SECOND: { takes: ['100'], refuses: '0' },
  ROOMCAST_SSE__PENDING_BYTES: { takes: ['65536'], refuses: '0' },
  ROOMCAST_PUSH__WEBHOOK_URL: { takes: ['https://backend.example/push'], refuses: 'backend.example' },
  ROOMCAST_PUSH__WEBHOOK_SECRET: { takes: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], refuses: 'whsec_%' },
  ROOMCAST_PUSH__VAPID_PRIVATE_KEY: { takes: [VAPID_KEY], refuses: 'too short' },
  ROOMCAST_PUSH__VAPID_SUBJECT: { takes: ['mailto:ops@example.com', 'https://example.com'], refuses: 'ops' },
  ROOMCAST_WEBHOOKS__URL: { takes: ['https://backend.example/hooks'], refuses: 'backend.example' },
  ROOMCAST_WEBHOOKS__SECRET: { takes: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], refuses: 'whsec_%' },
  ROOMCAST_PAYMENTS__GATEWAY: { takes: ['simulated', 'webhook'], refuses: 'bank' },
  ROOMCAST_PAYMENTS__WEBHOOK_SECRET: { takes: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'], refuses: 'whsec_%' },
  ROOMCAST_PRESENCE__AUDIENCE: { takes: ['everyone', 'roommates'], refuses: 'friends' },
  ROOMCAST_BRIDGE__CHANNELS: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_BRIDGE__EMITTERS: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_CLUSTER__ADAPTER: { takes: ['roomcast', 'node', 'node-sharded'], refuses: 'kafka' },
  ROOMCAST_ADMIN__ENABLED: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_ADMIN__USERNAME: { takes: ['root'] },
  ROOMCAST_ADMIN__PASSWORD: { takes: [HASH, 'a long password'], refuses: 'short' },
  ROOMCAST_ADMIN__MODE: { takes: ['development', 'production'], refuses: 'test' },
  ROOMCAST_ADMIN__READ_ONLY: { takes: ['true', 'false'], refuses: 'perhaps' },
  ROOMCAST_LOG__FORMAT: { takes: ['text', 'json'], refuses: 'xml' },
  ROOMCAST_OPS__LISTEN: { takes: ['127.0.0.1:9100'], refuses: 'here' },
};

/** What else a value, or any value of a variable, needs. */
export const NEEDS = {
  REDIS_URL: { DATABASE_URL: 'postgres://roomcast@localhost/roomcast' },
  ROOMCAST_ADMIN__ENABLED: { ROOMCAST_ADMIN__PASSWORD: HASH },
  ROOMCAST_ADMIN__PASSWORD: { ROOMCAST_ADMIN__ENABLED: 'true' },
  webhook: { ROOMCAST_ROOMS__WEBHOOK_URL: 'https://backend.example/may-enter' },
  ROOMCAST_PAYMENTS__GATEWAY: { ROOMCAST_PAYMENTS__WEBHOOK_SECRET: 'a secret of some length' },
  ROOMCAST_PUSH__WEBHOOK_URL: { ROOMCAST_PUSH__WEBHOOK_SECRET: 'a secret of some length' },
  ROOMCAST_WEBHOOKS__URL: { ROOMCAST_WEBHOOKS__SECRET: 'a secret of some length' },
  ROOMCAST_PUSH__VAPID_PRIVATE_KEY: { ROOMCAST_PUSH__VAPID_SUBJECT: 'mailto:ops@example.com' },
  ROOMCAST_PUSH__VAPID_SUBJECT: { ROOMCAST_PUSH__VAPID_PRIVATE_KEY: VAPID_KEY },
};
