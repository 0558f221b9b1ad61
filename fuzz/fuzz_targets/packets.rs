#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| roomcast::realtime::fuzzing::packets(data));
