-- A firm may have several health models. model: the position of the one that judged the customer among the fingerprint's
-- models, 0 the one of health.yaml. dimensions are those of that model, NaN beyond its own up to the widest model's.
alter table care.health_night add column model smallint not null default 0;
