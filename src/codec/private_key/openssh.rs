//! The frame of OpenSSH private keys (OpenSSH PROTOCOL.key): cipher and
//! public key stand in the clear in front of the secret part.

use super::{Key, PrivateKey, blank};
use crate::codec::x509;

/// What the frame says.
pub(super) fn described(frame: &[u8]) -> PrivateKey {
    read(frame).unwrap_or(blank("openssh"))
}

fn read(frame: &[u8]) -> Option<PrivateKey> {
    let mut rest = frame.strip_prefix(b"openssh-key-v1\0")?;
    let cipher = string(&mut rest)?;
    let _kdf = string(&mut rest)?;
    let _options = string(&mut rest)?;
    rest = rest.get(4..)?;
    let mut public = string(&mut rest)?;
    Some(PrivateKey {
        encrypted: cipher != b"none",
        key: key(&mut public),
        ..blank("openssh")
    })
}

/// A public key blob (RFC 4253 section 6.6, RFC 5656, RFC 8709).
fn key(blob: &mut &[u8]) -> Option<Key> {
    let name = string(blob)?;
    let key = match name {
        b"ssh-ed25519" | b"sk-ssh-ed25519@openssh.com" => Key::plain("Ed25519", 256),
        b"ssh-dss" => Key::plain("DSA", 0),
        b"ssh-rsa" => {
            let exponent = x509::small_integer(string(blob)?);
            Key {
                exponent,
                ..Key::plain("RSA", x509::bit_length(string(blob)?))
            }
        }
        b"ecdsa-sha2-nistp256" => curve("P-256", 256),
        b"ecdsa-sha2-nistp384" => curve("P-384", 384),
        b"ecdsa-sha2-nistp521" => curve("P-521", 521),
        _ => return None,
    };
    Some(key)
}

fn curve(name: &str, bits: u32) -> Key {
    Key {
        curve: Some(name.to_owned()),
        ..Key::plain("EC", bits)
    }
}

/// A length of four octets and as many octets.
fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (taken, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(cipher: &[u8], public: &[u8]) -> Vec<u8> {
        let string = |text: &[u8]| [&(text.len() as u32).to_be_bytes(), text].concat();
        [
            b"openssh-key-v1\0".to_vec(),
            string(cipher),
            string(b"none"),
            string(b""),
            vec![0, 0, 0, 1],
            string(public),
        ]
        .concat()
    }

    #[test]
    fn cipher_and_key_type_are_read() {
        let public = [&11u32.to_be_bytes()[..], b"ssh-ed25519", &[0; 36]].concat();
        let open = described(&frame(b"none", &public));
        assert_eq!(
            (open.encrypted, open.key.unwrap().algorithm.as_str()),
            (false, "Ed25519")
        );
        assert!(described(&frame(b"aes256-ctr", &public)).encrypted);
    }

    #[test]
    fn lengths_beyond_the_frame_end_the_reading() {
        let mut cut = frame(b"none", b"");
        cut.truncate(20);
        assert_eq!(described(&cut).key, None);
        assert_eq!(
            described(b"openssh-key-v1\0\xff\xff\xff\xff").format,
            "openssh"
        );
    }
}
