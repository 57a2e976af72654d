-- Hourly roll-ups of the registers. Where the edition has continuous aggregates they are materialised once an hour is
-- three days old (younger hours, and what a backlog still changes in them, are always computed live); elsewhere the
-- same view is computed as it is asked.
do $$
begin
  if current_setting('timescaledb.license', true) = 'timescale' then
    create materialized view readings_hourly with (timescaledb.continuous, timescaledb.materialized_only = false) as
      select device_no, time_bucket(interval '1 hour', observed_at) as hour,
             first(value, observed_at) as first_value, last(value, observed_at) as last_value,
             min(value) as min_value, max(value) as max_value,
             count(*) as readings, max(observed_at) as last_observed_at
      from readings where event = '' group by 1, 2
      with no data;
    alter table readings set (timescaledb.compress, timescaledb.compress_segmentby = 'device_no',
                              timescaledb.compress_orderby = 'observed_at desc, event');
    perform add_compression_policy('readings', interval '7 days');
    perform add_continuous_aggregate_policy('readings_hourly', start_offset => interval '13 months',
      end_offset => interval '3 days', schedule_interval => interval '1 hour');
  else
    create view readings_hourly as
      select device_no, time_bucket(interval '1 hour', observed_at) as hour,
             first(value, observed_at) as first_value, last(value, observed_at) as last_value,
             min(value) as min_value, max(value) as max_value,
             count(*) as readings, max(observed_at) as last_observed_at
      from readings where event = '' group by 1, 2;
  end if;
end $$;
