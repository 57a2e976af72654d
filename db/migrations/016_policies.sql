-- Who is told when, by community and severity; and people who are told though they have no login.

-- Everybody whom Shouwang can tell. Volunteers (a neighbour who agreed), family members and the receiver of Shouwang's
-- own test pages have no login.
alter table staff drop constraint staff_role_check;
alter table staff add constraint staff_role_check
  check (role in ('operator', 'supervisor', 'social_worker', 'volunteer', 'family', 'watcher'));
alter table staff alter column login drop not null;
alter table staff alter column password_hash drop not null;
alter table staff add constraint staff_login_check
  check ((login is not null and password_hash is not null) = (role in ('operator', 'supervisor', 'social_worker')));

-- Neighbours and volunteers who agreed to go to this resident's door.
create table resident_volunteers (
  resident_id text not null references residents,
  staff_id    text not null references staff,
  agreed_at   timestamptz not null,
  primary key (resident_id, staff_id)
);
create index on resident_volunteers (staff_id);

-- The person as whom a family member is told, where the resident allows it (sees_alerts).
alter table family_members add column staff_id text unique references staff;

-- What is known of an illness is for those at the door only where the resident allowed it.
alter table residents add column health_in_pages boolean not null default false;

-- One a community and severity; without a row the defaults of the code stand.
create table escalation_policies (
  community_id text not null references communities,
  severity     text not null check (severity in ('emergency', 'urgent', 'warning')),
  policy       jsonb not null,
  changed_at   timestamptz not null,
  changed_by   text references staff,
  primary key (community_id, severity)
);

-- When the round and the stage began that an alert is in: steps and stage timers are counted from there.
alter table alerts add column round_at timestamptz;
alter table alerts add column stage_at timestamptz;
-- Who had taken the alert before it came back, and how far that person had got.
alter table alerts add column returned_by text references staff;
alter table alerts add column returned_stage text check (returned_stage in ('acknowledged', 'en_route', 'arrived'));

-- A page of a step for "not resolved" is still wanted when somebody has acknowledged; one to the family only tells.
alter table pages add column condition text not null default 'not acknowledged'
  check (condition in ('not acknowledged', 'not resolved'));
alter table pages add column informs boolean not null default false;

-- A resident made up by Shouwang itself, to see that a page comes back: counted and shown nowhere.
alter table residents add column synthetic boolean not null default false;
