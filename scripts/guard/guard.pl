#!/usr/bin/perl
# Ends what a daemon of hsctl has started when the daemon itself is gone, and keeps its next run waiting until then:
# an `ip` that hung at that moment would else put an address back which the next run has just given up. Where systemd
# kills all that is left in the unit, this does the same without systemd. It decides nothing.
#
#   guard.pl FOLDER      FOLDER: the daemon's own; the lock of that folder is held as long as anything of it is there
#
# It prints `waits` if something of a former run is still there, and `ready` once nothing is. Each line of its standard input is
#
#   +GROUP               the daemon has started a program, which leads this process group
#   -GROUP               that program has ended; what it left in the background is meant to stay
#
# Nothing but perl-base.
use strict;
use warnings;
use Fcntl qw(:flock);

use constant PAUSE_S => 0.01;

my ($folder) = @ARGV;
die "usage: guard.pl FOLDER\n" unless defined $folder;
# It ends with its daemon, by the end of its input, and not before.
$SIG{$_} = 'IGNORE' for qw(HUP INT TERM PIPE);
$| = 1;

open(my $lock, '<', $folder) or die "cannot open $folder: $!\n";
unless (flock($lock, LOCK_EX | LOCK_NB)) {
    print "waits\n";
    until (flock($lock, LOCK_EX)) { die "cannot lock $folder: $!\n" unless $!{EINTR} }
}
print "ready\n";

my %groups;    # start of the leader, by the group's number
while (my $line = <STDIN>) {
    if    ($line =~ /^\+(\d+)\n/) { $groups{$1} = start_of($1) if $1 != $$ }
    elsif ($line =~ /^-(\d+)\n/)  { delete $groups{$1} }
}

# A number that has another leader by now stands for something else.
for my $group (keys %groups) {
    my $start = start_of($group);
    delete $groups{$group} if $start ne '' and $start ne $groups{$group};
}
while (my @left = present(\%groups)) {
    $0 = "hsctl guard of $folder: waits for the end of @left";
    kill 'KILL', map { -$_ } @left;
    select(undef, undef, undef, PAUSE_S);
}

# When a process started, in the kernel's ticks, which tells it from a later one of the same number; empty without one.
sub start_of {
    my (undef, undef, $start) = stat_of($_[0]);
    return $start // '';
}

# Groups with a process that still runs: one that has ended and that nobody has waited for is no matter.
sub present {
    my ($wanted) = @_;
    my %found;
    opendir(my $all, '/proc') or die "cannot read /proc: $!\n";
    for my $pid (grep { /^\d+$/ } readdir $all) {
        my ($state, $group) = stat_of($pid);
        $found{$group} = 1 if defined $group and exists $wanted->{$group} and $state !~ /[ZX]/;
    }
    return sort { $a <=> $b } keys %found;
}

# State, process group and start of a process; empty if there is none.
sub stat_of {
    my ($pid) = @_;
    open(my $file, '<', "/proc/$pid/stat") or return;
    my $text = <$file> // return;
    # The name of the program may hold anything.
    my @fields = split / /, substr($text, rindex($text, ')') + 2);
    return @fields[0, 2, 19];
}
