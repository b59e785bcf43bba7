-- Why a source is held is read by people: by language.
alter table care.held_source alter column reason type jsonb using jsonb_build_object('en', reason, 'zh-CN', reason);
