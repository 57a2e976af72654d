-- What staff ask a home to do: a row with a due time and an expiry, and with what came of it.

-- What the resident speaks, as a BCP 47 tag (zh-CN, yue, nan); null: nobody has said so yet.
alter table residents add column speaks text check (speaks ~ '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}$');

create sequence command_changes;
create table commands (
  command_id   uuid primary key default gen_random_uuid(),
  -- The order in which one device gets them.
  command_no   bigint generated always as identity unique,
  -- What a page that shows commands has seen.
  change_no    bigint not null default 0,
  resident_id  text not null references residents,
  device_no    int not null references devices,
  gateway_id   text not null references gateways,
  name         text not null check (name in ('prompt', 'chime', 'led', 'close valve', 'self-test')),
  -- What goes with the name: text and language of a prompt, on of an LED.
  arguments    jsonb not null default '{}',
  state        text not null check (state in ('waiting', 'pending', 'sent', 'done', 'failed', 'expired', 'cancelled')),
  asked_by     text not null references staff,
  asked_at     timestamptz not null,
  confirmed_by text references staff,
  confirmed_at timestamptz,
  cancelled_by text references staff,
  -- When it is to be tried (again), and when it is too late; expires_after_s: how long it is given once nobody is waited for.
  due_at          timestamptz not null,
  expires_at      timestamptz not null,
  expires_after_s double precision not null check (expires_after_s between 1 and 3600),
  claimed_until timestamptz,
  attempts      int not null default 0,
  sent_at       timestamptz,
  ended_at      timestamptz,
  -- What the device said, or why it did not get it.
  detail text not null default '',
  check (confirmed_by is null or confirmed_by <> asked_by),
  check (name <> 'close valve' or confirmed_by is not null or (state in ('waiting', 'expired', 'cancelled') and attempts = 0))
);
create index commands_open on commands (gateway_id, device_no, command_no) where state in ('waiting', 'pending');
-- Closing the same valve is asked for once.
create unique index commands_one_waiting on commands (device_no, name) where state = 'waiting';
create index on commands (resident_id, command_no desc);
create index on commands (change_no);

create function command_changed() returns trigger language plpgsql as $$
begin
  new.change_no := nextval('command_changes');
  perform pg_notify('shouwang', 'commands');
  return new;
end $$;
create trigger command_changed before insert or update on commands for each row execute function command_changed();
