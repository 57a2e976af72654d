-- The sessions that Shouwang has at a broker that already runs. Each is held by one edge at a time, until `held_until`:
-- what waits in a session is delivered to whoever holds it, so that a dead edge keeps nothing back.
create table attach_sessions (
  session_no int primary key,
  edge_id    text,
  held_until timestamptz,
  -- What the session has asked for there: a subscription outlives whoever made it.
  filters    text[] not null default '{}'
);
-- Who would hold sessions: what there is is divided among them.
create table attach_edges (
  edge_id text primary key,
  seen_at timestamptz not null
);
create index gateways_attached on gateways (gateway_id) where via = 'attached';
