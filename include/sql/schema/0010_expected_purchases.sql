-- How many purchase days are to be expected of a customer in the next `within` days: the BG/NBD model of Fader, Hardie and
-- Lee (2005), equation 10, after Euler's transformation. `repeats` purchase days after the first, `last` and `age` in days
-- since the first. carewatch/learn/purchases.py says the same in Python; a test compares the two.
create function care.expected_purchases(
    repeats float8, last float8, age float8, within float8, r float8, alpha float8, a float8, b float8
) returns float8 language plpgsql immutable strict parallel safe as $$
declare
    z constant float8 := within / (alpha + age + within);
    -- the series of 2F1(a + b - 1 - r, a - 1; a + b + repeats - 1; z)
    one constant float8 := a + b - 1 - r;
    two constant float8 := a - 1;
    below constant float8 := a + b + repeats - 1;
    term float8 := 1;
    total float8 := 1;
    n integer := 0;
    many float8;
begin
    while n < 5000 and abs(term) > 1e-14 loop
        term := term * z * (one + n) * (two + n) / ((below + n) * (n + 1));
        total := total + term;
        n := n + 1;
    end loop;
    many := below / two * (1 - power(1 - z, two) * total);
    if repeats > 0 then
        many := many / (1 + a / (b + repeats - 1) * power((alpha + age) / (alpha + last), r + repeats));
    end if;
    return many;
end $$;
