#!/bin/sh
# rcgen 0.14.10 from crates.io: the serial numbers of certificates.
#
# One expects of an authority that no two of its certificates have the same serial number, as RFC 5280 demands (4.1.2.2). Unless
# serial_number is set, rcgen makes it of the public key: a certificate that is renewed for the same key, or made for another
# name, has the number of the first one. So a revocation list that names the first one revokes them all.
#
# Set serial_number to a random number for each certificate.
#
# Needs cargo.
set -eu
. "$(dirname "$0")/lib.sh"
cd "$tmp"
crate_get rcgen 0.14.10 <<'R'
use rcgen::{date_time_ymd, BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
fn main() {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write("ca.pem", authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    for (name, year) in [("old", 2040), ("renewed", 2041)] {
        let mut params = CertificateParams::new(vec![format!("{name}.example.com")]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        std::fs::write(format!("{name}.pem"), params.signed_by(&key, &authority).unwrap().pem()).unwrap();
    }
}
R
target/debug/finding
serial() { python3 -c 'import ssl, sys; print(ssl._ssl._test_decode_cert(sys.argv[1] + ".pem")["serialNumber"])' "$1"; }
say "two certificates of one authority for one key, with other names and other dates"
serial old
serial renewed
cmp -s old.pem renewed.pem && fail "they are one certificate"
[ "$(serial old)" = "$(serial renewed)" ] || fail "the numbers differ"
