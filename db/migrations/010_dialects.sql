-- Gateways that speak another dialect than the v1 contract, and the devices that they tell of.

alter table gateways
  add column dialect text not null default 'v1' check (dialect in
    ('v1', 'zigbee2mqtt', 'wmbusmeters', 'tasmota', 'shelly', 'chirpstack', 'thingsboard', 'aliyun', 'generic')),
  -- Where it speaks beside v1/{gateway_id}/: the beginnings of topics, without wildcards and without a slash at the end.
  add column base_topics text[] not null default '{}',
  -- What the operator has written for it: the mapping of the generic dialect.
  add column dialect_settings jsonb,
  -- What its adapter keeps from message to message.
  add column dialect_memory jsonb not null default '{}',
  add column dialect_memory_version double precision not null default 0,
  -- attached: it speaks to another broker, to which ingest subscribes.
  add column via text not null default 'own' check (via in ('own', 'attached'));

-- A device that a gateway was heard to have, bound or not: one row for each kind that it measures.
create table announced_devices (
  gateway_id    text not null references gateways on delete cascade,
  -- Ours: made of gateway, native id and kind. What a binding in devices has as its device_id.
  device_id     text not null,
  native_id     text not null,
  kind          text not null,
  name          text not null default '',
  model         text not null default '',
  first_seen_at timestamptz not null,
  last_seen_at  timestamptz not null,
  -- The newest thing that it said, in the words of v1.
  last_fields   jsonb,
  primary key (gateway_id, device_id)
);
