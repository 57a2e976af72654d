-- The Monday of the newest week whose report each community's social workers were sent: what was found since then is for the
-- next one. A week in which nobody ran on Monday is told on the first day on which somebody does.
create table weekly_reports (
  community_id text primary key references communities,
  week_of      date not null,
  done_at      timestamptz not null
);
