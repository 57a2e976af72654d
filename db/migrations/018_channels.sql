-- More ways to reach a person, and answers of providers told apart.

alter table staff_channels drop constraint staff_channels_kind_check;
alter table staff_channels add constraint staff_channels_kind_check check (kind in
  ('email', 'sms', 'voice_call', 'web_push', 'wecom', 'dingtalk', 'feishu', 'ntfy', 'webhook'));

-- Sent: the provider has taken it. Delivered: it says that it arrived.
alter table page_attempts drop constraint page_attempts_result_check;
alter table page_attempts add constraint page_attempts_result_check
  check (result in ('sent', 'delivered', 'retry', 'refused'));

-- The keys by which browsers' push services know this Shouwang, where no setting gives them: made once and kept, since
-- each subscription is bound to the public one.
create table vapid_keys (
  only_one    boolean primary key default true check (only_one),
  public_key  text not null,
  private_key text not null,
  created_at  timestamptz not null
);
