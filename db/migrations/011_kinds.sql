-- More kinds of devices, and what alarm devices say from memory.

alter table devices drop constraint devices_kind_check;
alter table devices add constraint devices_kind_check check (kind in
  ('water', 'electricity', 'button', 'smoke', 'gas', 'co', 'leak', 'motion', 'door', 'bed', 'voice'));

-- That the device still says alarm, though its alert is closed, was told once for this episode.
alter table alarm_episodes add column standing_told boolean not null default false;

-- readings, for the new kinds. event: help, fine for a voice panel; motion, still; open, closed for a door; in, out for a
-- bed. In bed, value is breaths/min and rate is heart beats/min.
