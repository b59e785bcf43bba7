-- Machine mail about what is only to be watched: the customer's consent, and to whom a signal's one mail goes.

alter table care.fact_customer add column consent boolean;
alter table care.signal add column mail_to text check (mail_to in ('customer', 'owner'));
create index signal_mails on care.signal (signal_no) where mail_to is not null;
