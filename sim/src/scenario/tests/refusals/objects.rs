//! Refusals of what belongs to another object, of scripts, and of bugs.

/// What is replaced, by what, and what is said about it.
pub(super) const REFUSALS: &[(&str, &str, &str)] = &[
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
mix = { add = 1, insert = 2 }"#,
        r"11:18 there is no operation `insert` of a counter [no such operation] (the operations of a counter are `add`, `read`)",
    ),
    (
        r#"rate = "200/s""#,
        r#"rate = "200/s"
elements = 5
place = "start""#,
        r"11:12 a counter has no `elements` [does not fit the object] (`elements` is for a set)
12:9 a counter has no `place` [does not fit the object] (`place` is for a sequence)",
    ),
    (
        r#"object = "counter""#,
        r#"object = "sequence"
mix = { inserts = 1, remove = 2 }
words = []
place = "strat""#,
        r#"9:9 there is no operation `inserts` of a sequence [no such operation] (did you mean `insert`?)
9:22 there is no operation `remove` of a sequence [no such operation] (the operations of a sequence are `insert`, `delete`, `read`)
10:9 there is an empty word, or none at all, or too many [here] (write 1 to 100000 words, ["alpha", "bravo"])
11:9 there is no place `strat` [no place] (did you mean `start`?)"#,
    ),
    (
        r#"object = "counter""#,
        r#"object = "cart"
items = 0
quantity = -1"#,
        r"9:9 0 names make no sense [out of range] (use 1 to 100000)
10:12 -1 units cannot be added to a cart [negative] (use quantities from 0; `change` goes both ways)",
    ),
    (
        r#"object = "counter""#,
        r#"object = "set"
popularity = { zipf = -1 }"#,
        r"9:23 an exponent of -1 makes no sense [out of range] (use a number from 0 (all alike) to 20; 1 is common)",
    ),
    (
        r#"duration = "20s""#,
        r#"script = [{ at = "1s", client = "c1", add = 3 }]"#,
        r"10:8 a script replaces `rate` [this; and a script] (keep one of them)",
    ),
    (
        "rate = \"200/s\"\nduration = \"20s\"",
        r#"script = [{ at = "1s", client = "c11", add = "milk" }, { at = "1s", client = "c1", insert = { position = 0, text = "x" } }, { at = "1", client = "c1" }, { at = "1s", client = "c1", add = 1, read = {} }]"#,
        r#"10:33 there is no client `c11` [no such client] (the clients are c1 to c10)
10:46 this cannot be added to a counter [of another object] (add = 3 to a counter, add = "milk" to a set or a cart, or { item = "milk", quantity = 2 } to a cart)
10:93 there is no operation `insert` of a counter [no such operation] (the operations of a counter are `add`, `read`)
10:125 this line does not say what it is [no kind here] (add one of `add`, `remove`, `write`, `insert`, `delete`, `change`, `read`, `view`)
10:132 `1` has no unit: it should be a duration such as "20ms" [here] (the units are `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`)
10:188 this line is several things at once [`add`; `read`] (keep one of them)"#,
    ),
    (
        "rate = \"200/s\"\nduration = \"20s\"",
        "script = []",
        r#"10:10 the script has 0 lines [here] (write 1 to 100000 lines, { at = "1s", client = "c1", add = "milk" })"#,
    ),
    (
        r#"occ = { store = "lin-kv" }"#,
        r#"lock = { deadline = "2s", lease = "0s" }"#,
        r#"21:35 a lease must be longer than zero [zero] (use a duration such as "1s")"#,
    ),
    (
        r#"occ = { store = "lin-kv" }"#,
        r#"bug = "merge-by-sums""#,
        r"21:7 there is no bug `merge-by-sums` [no such bug] (did you mean `merge-by-sum`?)",
    ),
    (
        "converges = true",
        r"final_value = true",
        r#"26:15 this is no bound for `final_value` [here] (write the value, for example "[milk tea]" or 42)"#,
    ),
];
