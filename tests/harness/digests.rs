//! Old digests by which the trade passes e-mail addresses and phone numbers around.
//!
//! They are searched for, not trusted, so they are written out here instead of being depended on.

/// MD5 (RFC 1321).
pub(crate) fn md5(message: &[u8]) -> Vec<u8> {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in blocks(message, u64::to_le_bytes) {
        let words: Vec<u32> =
            block.chunks(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for (step, sine) in sines().iter().enumerate() {
            let (round, at) = (step / 16, step % 16);
            let (mixed, word) = match round {
                0 => ((b & c) | (!b & d), at),
                1 => ((d & b) | (!d & c), (5 * at + 1) % 16),
                2 => (b ^ c ^ d, (3 * at + 5) % 16),
                _ => (c ^ (b | !d), (7 * at) % 16),
            };
            let sum = mixed.wrapping_add(a).wrapping_add(*sine).wrapping_add(words[word]);
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[round][at % 4]));
        }
        state = add(state, [a, b, c, d]);
    }
    state.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The 64 constants of MD5: floor(2^32 * |sin(n)|), as the RFC lists them.
fn sines() -> &'static [u32; 64] {
    &[
        0xd76a_a478,
        0xe8c7_b756,
        0x2420_70db,
        0xc1bd_ceee,
        0xf57c_0faf,
        0x4787_c62a,
        0xa830_4613,
        0xfd46_9501,
        0x6980_98d8,
        0x8b44_f7af,
        0xffff_5bb1,
        0x895c_d7be,
        0x6b90_1122,
        0xfd98_7193,
        0xa679_438e,
        0x49b4_0821,
        0xf61e_2562,
        0xc040_b340,
        0x265e_5a51,
        0xe9b6_c7aa,
        0xd62f_105d,
        0x0244_1453,
        0xd8a1_e681,
        0xe7d3_fbc8,
        0x21e1_cde6,
        0xc337_07d6,
        0xf4d5_0d87,
        0x455a_14ed,
        0xa9e3_e905,
        0xfcef_a3f8,
        0x676f_02d9,
        0x8d2a_4c8a,
        0xfffa_3942,
        0x8771_f681,
        0x6d9d_6122,
        0xfde5_380c,
        0xa4be_ea44,
        0x4bde_cfa9,
        0xf6bb_4b60,
        0xbebf_bc70,
        0x289b_7ec6,
        0xeaa1_27fa,
        0xd4ef_3085,
        0x0488_1d05,
        0xd9d4_d039,
        0xe6db_99e5,
        0x1fa2_7cf8,
        0xc4ac_5665,
        0xf429_2244,
        0x432a_ff97,
        0xab94_23a7,
        0xfc93_a039,
        0x655b_59c3,
        0x8f0c_cc92,
        0xffef_f47d,
        0x8584_5dd1,
        0x6fa8_7e4f,
        0xfe2c_e6e0,
        0xa301_4314,
        0x4e08_11a1,
        0xf753_7e82,
        0xbd3a_f235,
        0x2ad7_d2bb,
        0xeb86_d391,
    ]
}

/// SHA-1 (RFC 3174).
pub(crate) fn sha1(message: &[u8]) -> Vec<u8> {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in blocks(message, u64::to_be_bytes) {
        let mut words: Vec<u32> =
            block.chunks(4).map(|four| u32::from_be_bytes(four.try_into().unwrap())).collect();
        for at in 16..80 {
            let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words.push(mixed.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (mixed, constant) = match at / 20 {
                0 => ((b & c) | (!b & d), 0x5a82_7999),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6_u32),
            };
            let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
            let sum = sum.wrapping_add(constant).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
        }
        state = add(state, [a, b, c, d, e]);
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn add<const WORDS: usize>(state: [u32; WORDS], more: [u32; WORDS]) -> [u32; WORDS] {
    std::array::from_fn(|at| state[at].wrapping_add(more[at]))
}

/// The message with its padding and length, in blocks of 64 bytes.
fn blocks(message: &[u8], length: fn(u64) -> [u8; 8]) -> Vec<Vec<u8>> {
    let bits = u64::try_from(message.len()).unwrap() * 8;
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend(length(bits));
    padded.chunks(64).map(<[u8]>::to_vec).collect()
}

#[test]
fn digests_are_those_of_the_standards() {
    let hex = |bytes: Vec<u8>| super::search::hex(&bytes);
    assert_eq!(hex(md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
    let digits =
        b"12345678901234567890123456789012345678901234567890123456789012345678901234567890";
    assert_eq!(hex(md5(digits)), "57edf4a22be3c955ac49da2e2107b67a");
    assert_eq!(hex(sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(hex(sha1(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}
