#!/bin/sh
# Debian libmonitoring-plugin-perl 0.40-1: `Monitoring::Plugin::Performance->parse_perfstring`, the performance data of a
# check.
#
# One expects what the text says: the guidelines for plugins, which this library follows, allow a threshold such as @10:20,
# an alert inside of the range, a value U, which could not be determined, and a quote in a label, written twice.
# At a threshold with an @ the parser stops: this threshold and all behind it, the critical one, the minimum and the maximum,
# are missing, and perfoutput writes the value without them. A value U and a label with a quote are left out. The class for
# ranges of the same library reads @10:20, and its add_perfdata writes it. No error is reported.
#
# So a program that collects or passes on results has values without limits. Write limits as ~:10 or 20: where the check
# allows it, and compare the text that perfoutput gives with the one that was read.
set -eu
. "$(dirname "$0")/lib.sh"
get libmonitoring-plugin-perl=0.40-1 libclass-accessor-perl=0.51-2 libmath-calc-units-perl=1.07-2.1 libconfig-tiny-perl=2.28-2 \
  libparams-validate-perl=1.31-1 libmodule-implementation-perl=0.09-2 \
  libmodule-runtime-perl=0.016-2 libtry-tiny-perl=0.31-2
export PERL5LIB="$root/usr/share/perl5:$root/usr/lib/$lib/perl5/5.36"
cd "$tmp"
cat >read.pl <<'P'
use Monitoring::Plugin;
use Monitoring::Plugin::Performance;
use Monitoring::Plugin::Range;
print "Monitoring::Plugin $Monitoring::Plugin::Functions::VERSION, perl $^V\n";
sub parse {
    my ($text) = @_;
    my @values = Monitoring::Plugin::Performance->parse_perfstring($text);
    print "$text -> ", join(" and ", map { $_->perfoutput } @values) || "nothing", "\n";
}
parse(q(load=5;~:10;20:;0;100));
parse(q(load=5;@10:20;@20:30;0;100));
parse(q(load=5;8;@20:30;0;100));
parse(q(a=U b=6;8));
parse(q('it''s'=1 b=6;8));
my $range = Monitoring::Plugin::Range->parse_range_string('@10:20');
print "the range itself: 5 ", $range->check_range(5) ? "alerts" : "is fine", ", 15 ", $range->check_range(15) ? "alerts" : "is fine", "\n";
my $plugin = Monitoring::Plugin->new(shortname => "test");
$plugin->add_perfdata(label => "load", value => 5, threshold => $plugin->set_thresholds(warning => '@10:20', critical => '@20:30'));
print "add_perfdata writes ", $plugin->all_perfoutput, "\n";
P
/usr/bin/perl read.pl >out || fail "exit code $?"
cat out
for line in 'load=5;~:10;20:;0;100 -> load=5;~:10;20:;0;100' 'load=5;@10:20;@20:30;0;100 -> load=5;;' 'load=5;8;@20:30;0;100 -> load=5;8;' \
  'a=U b=6;8 -> b=6;8;' "'it''s'=1 b=6;8 -> b=6;8;" 'the range itself: 5 is fine, 15 alerts' 'add_perfdata writes load=5;@10:20;@20:30'; do
  grep -qxF -- "$line" out || fail "not: $line"
done
