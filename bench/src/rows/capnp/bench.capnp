@0xd3a1b6c98e7f2450;
# `bench_capnp.rs.in` is what `capnp compile -orust bench.capnp` makes of this, of capnproto 0.9.2 with the
# plug-in of capnpc 0.27.0, without blanks at the ends of lines; it is kept so that nobody needs these tools to build.

annotation parentModule @0xabee386cd1450364 (file) :Text;
# That of Rust's plug-in.

$parentModule("rows::capnp");

interface Adder {
    add @0 (a :UInt64, b :UInt64) -> (sum :UInt64);
}

interface Step {
    next @0 () -> (step :Step);
    number @1 () -> (number :UInt64);
}

interface Factory extends(Adder) {
    echo @0 (bytes :Data) -> (bytes :Data);
    sum @1 (bytes :Data) -> (sum :UInt64);
    make @2 () -> (adder :Adder);
    # An object whose calls call `adder` back.
    back @3 (adder :Adder) -> (back :Adder);
    first @4 () -> (step :Step);
}
