-- The numbers of a month: its alerts are found by community and opening, also when they are closed and whatever their
-- severity; from there on by alert, as everything else that hangs on one.
create index alerts_month on alerts (community_id, opened_at);

-- What people did with an alert is a small part of its history; opening, telling and sending write nothing here.
create index alert_events_actions on alert_events (alert_id, kind, at) include (staff_id)
  where kind in ('acknowledged', 'en_route', 'arrived', 'closed', 'undone');
