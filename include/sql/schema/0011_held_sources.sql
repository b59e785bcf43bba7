-- Sources that a night did not rely on, as they stood when it opened: why, who answers for them, up to which moment they
-- could be relied on (null: never), and the facts they supply, on which nothing was judged.
create table care.held_source (
    night bigint not null references care.night (night_no),
    source text not null,
    owner text not null,
    reason text not null,
    known_until timestamptz,
    facts text[] not null,
    primary key (night, source)
);
