-- Secrets that are rotated with an overlap and revoked at once, and who did so.

alter table gateways
  -- The secret before this one, which goes on working until then.
  add column secret_hash_before text,
  add column secret_before_until timestamptz,
  add column secret_revoked_at timestamptz,
  add constraint gateways_overlap_has_end check ((secret_hash_before is null) = (secret_before_until is null)),
  -- The transaction that last changed what a gateway may do. Every edge asks once a second for those since its last look:
  -- by transaction, because one that began earlier may commit later, and clocks do not tell.
  add column rights_xid xid8 not null default pg_current_xact_id();
create index gateways_by_rights on gateways (rights_xid);

create function gateway_rights_changed() returns trigger language plpgsql as $$
begin
  -- Whoever writes another secret and says nothing of an overlap or of its being revoked ends both.
  if new.secret_hash <> old.secret_hash then
    if new.secret_before_until is not distinct from old.secret_before_until then
      new.secret_hash_before := null;
      new.secret_before_until := null;
    end if;
    if new.secret_revoked_at is not distinct from old.secret_revoked_at then
      new.secret_revoked_at := null;
    end if;
  end if;
  new.rights_xid := pg_current_xact_id();
  return new;
end $$;
-- Only for statements that write one of these, which presence never does, and only where it has another value than before.
create trigger gateway_rights_changed
  before update of secret_hash, secret_hash_before, secret_before_until, disabled_at, dialect, base_topics, dialect_settings, via
  on gateways
  for each row when (
    (old.secret_hash, old.secret_hash_before, old.secret_before_until, old.disabled_at, old.dialect, old.base_topics,
     old.dialect_settings, old.via)
      is distinct from
    (new.secret_hash, new.secret_hash_before, new.secret_before_until, new.disabled_at, new.dialect, new.base_topics,
     new.dialect_settings, new.via))
  execute function gateway_rights_changed();

create table gateway_secret_events (
  event_id   bigint generated always as identity primary key,
  gateway_id text not null references gateways on delete cascade,
  at         timestamptz not null,
  -- Null: nobody on a page, but who runs the server.
  staff_id   text references staff,
  what       text not null check (what in ('rotated', 'revoked', 'overlap ended'))
);
create index on gateway_secret_events (gateway_id, at desc);
