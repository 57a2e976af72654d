-- Who lives where, who looks after them, and who may see what.

create table communities (
  community_id text primary key,
  name         text not null,
  time_zone    text not null
);

create table staff (
  staff_id      text primary key,
  name          text not null,
  role          text not null check (role in ('operator', 'supervisor', 'social_worker')),
  login         text not null unique,
  password_hash text not null,
  language      text not null default 'zh' check (language in ('zh', 'en')),
  phone         text,
  disabled_at   timestamptz
);

create table staff_communities (
  staff_id     text not null references staff,
  community_id text not null references communities,
  primary key (staff_id, community_id)
);
create index on staff_communities (community_id);

-- How a person is paged, in the order that the person wants.
create table staff_channels (
  staff_id text not null references staff,
  position int  not null,
  kind     text not null check (kind in ('webhook', 'email')),
  address  text not null,
  secret   text,
  primary key (staff_id, position)
);

create table residents (
  resident_id          text primary key,
  community_id         text not null references communities,
  name                 text not null,
  address              text not null,
  time_zone            text not null,
  phone                text,
  door_code            text,
  key_holder           text,
  health_note          text,
  responsible_staff_id text references staff,
  left_at              timestamptz
);
create index on residents (community_id);

create table family_members (
  family_member_id text primary key,
  resident_id      text not null references residents,
  name             text not null,
  relation         text,
  phone            text,
  language         text not null default 'zh' check (language in ('zh', 'en')),
  -- What the resident allows this person to see beyond "is she all right?".
  sees_alerts      boolean not null default true,
  sees_week        boolean not null default true
);
create index on family_members (resident_id);

create table family_links (
  token_hash       bytea primary key,
  family_member_id text not null references family_members,
  created_at       timestamptz not null,
  revoked_at       timestamptz
);
create index on family_links (family_member_id);

-- Who is on duty when.
create table duty_shifts (
  duty_shift_id bigint generated always as identity primary key,
  community_id  text not null references communities,
  staff_id      text not null references staff,
  starts_at     timestamptz not null,
  ends_at       timestamptz not null check (ends_at > starts_at),
  unique (community_id, staff_id, starts_at)
);
create index on duty_shifts (community_id, ends_at);

create table sessions (
  token_hash bytea primary key,
  staff_id   text not null references staff,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index on sessions (expires_at);

-- Each look at a resident. Looks of one viewer at one page within a few minutes are one row, counted.
create table access_log (
  access_id        bigint generated always as identity primary key,
  resident_id      text not null references residents,
  staff_id         text references staff,
  family_member_id text references family_members,
  page             text not null,
  first_at         timestamptz not null,
  last_at          timestamptz not null,
  looks            int not null default 1,
  check (num_nonnulls(staff_id, family_member_id) = 1)
);
create index on access_log (resident_id, last_at desc);
