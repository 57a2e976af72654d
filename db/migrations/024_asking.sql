-- A home that is silent for longer than usual is asked first; a person is paged when nothing has settled it by then.

-- Until when the home was asked before anybody is paged; the moment itself where somebody was sent for earlier, or nobody
-- could be asked. Null: nothing was asked.
alter table alerts add column asked_until timestamptz;

-- One row is one device or one person that was asked about an alert, with what came of it.
create table asks (
  ask_id     bigint generated always as identity primary key,
  alert_id   bigint not null references alerts on delete cascade,
  -- home: its voice panel, or a chime; family: who agreed to it; task: the people whom a page would be for.
  way        text not null check (way in ('home', 'family', 'task')),
  device_no  int references devices,
  command_id uuid references commands on delete set null,
  staff_id   text references staff,
  message_id uuid references messages on delete set null,
  asked_at   timestamptz not null,
  ended_at   timestamptz,
  ended_why  text check (ended_why in ('settled', 'taken', 'unanswered', 'failed', 'sent for')),
  check ((way = 'home') = (device_no is not null)),
  check ((way = 'home') = (staff_id is null)),
  check ((ended_at is null) = (ended_why is null))
);
create index on asks (alert_id);
-- What is looked after, a few rows at a time.
create index asks_open on asks (alert_id) where ended_at is null;
-- For what is deleted there.
create index on asks (command_id) where command_id is not null;
create index on asks (message_id) where message_id is not null;

-- The link that a call task carries: says what came of the call, without logging in, until it expires.
create table ask_links (
  token_hash bytea primary key,
  ask_id     bigint not null references asks on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index on ask_links (ask_id);

-- This family member agreed to be asked to call when the home is silent for longer than usual.
alter table family_members add column agreed_to_ask boolean not null default false;

-- Shouwang itself asks a home to answer, and never anything else.
alter table commands alter column asked_by drop not null;
alter table commands add constraint commands_asked_by_whom check (asked_by is not null or name in ('prompt', 'chime'));

-- A call that is not needed any more is not asked for.
alter table messages drop constraint messages_status_check;
alter table messages add constraint messages_status_check check (status in ('pending', 'sent', 'failed', 'cancelled'));
