export type BrokerLimits = typeof defaultLimits

/** Everything that a stranger or a broken gateway could otherwise make grow. */
export const defaultLimits = {
  /** A whole MQTT frame, header included. */
  packetBytesMax: 65_536,
  /** A publish that is larger than a packet may be is swallowed and quarantined up to this size, header included. */
  swallowBytesMax: 16_777_216,
  /**
   * From the header of such a publish to its last byte. It holds little more than an idle connection, and whoever is cut
   * off starts again from the first byte: 5 min are 1 MB on a line of 3.5 KB/s.
   */
  swallowMsMax: 300_000,
  /** The first frame, from somebody we do not know yet. */
  connectBytesMax: 4_096,
  clientIdBytesMax: 128,
  /** From accept to CONNECT, a TLS or WebSocket handshake included. */
  connectMsMax: 10_000,
  /** From CONNECT to CONNACK: longer than the longest pause for failed logins. */
  loginMsMax: 30_000,
  /** Real gateways share their carrier's address: a thousand of them may come back in the same second. */
  unauthenticatedPerAddressMax: 1_000,
  unauthenticatedMax: 10_000,
  /** Publishes of one connection that wait for their commit; its socket is not read while there are more. */
  publishesInFlightMax: 100,
  /**
   * And of all connections together: beyond it each may have one, so that in a storm of backlogs an alarm on a quiet line
   * waits for a turn of a few milliseconds, not for seconds of decoding. A commit takes about as many.
   */
  publishesInFlightTotalMax: 5_000,
  subscriptionsMax: 1_000,
  /** Deliveries to one connection that wait for their PUBACK. */
  deliveriesInFlightMax: 100,
  /** What may wait in the socket of one connection before more is sent to it. */
  deliverBytesMax: 262_144,
  /** How long a delivery waits for its PUBACK. */
  deliveryMsMax: 10_000,
  /** A shorter keepalive is stretched to this: a slow commit must not look like a dead gateway. */
  keepaliveSecondsMin: 20,
  /** A slow reader of commands is cut off after this. */
  drainMsMax: 20_000,
  lookupMsMax: 5_000,
  /** How stale the knowledge about a gateway (secret, disabled) may be at a login. */
  gatewayCacheMs: 3_000,
  gatewayCacheEntriesMax: 20_000,
  /** A connected gateway is looked up again after this, when it is next heard. */
  recheckMs: 60_000,
  /** How often the database is asked whose rights have changed: from a revoked secret to the end of its connections. */
  rightsPollMs: 500,
  secretCacheMs: 600_000,
  secretCacheEntriesMax: 20_000,
  /** The thread pool has four threads; hashing may use half of them. */
  hashesInFlightMax: 2,
  loginsWaitingMax: 20_000,
  loginsWaitingPerAddressMax: 2_000,
  failedLoginDelayMsMin: 250,
  failedLoginDelayMsMax: 8_000,
  failedLoginPairsMax: 20_000,
  failedLoginForgetMs: 900_000,
  /** Connections of the operator's own systems, all together. */
  readerConnectionsMax: 20,
  /** Home Assistant subscribes to the state of each entity by itself. */
  readerSubscriptionsMax: 200_000,
  /** What readers find when they come, and what of it may wait in the socket of one. */
  retainedEntriesMax: 100_000,
  retainedBytesMax: 67_108_864,
  readerBytesMax: 4_194_304,
  /** At stop, commits in flight have this long to be acknowledged. */
  stopMsMax: 1_000,
}
