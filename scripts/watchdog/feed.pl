#!/usr/bin/perl
# Holds a kernel watchdog open and feeds it when it is told to. The agent keeps this program open: Node can neither set
# the time of such a device nor say which one it has. It decides nothing; each line of its standard input is
#
#   feed    feeds the device: the time until it restarts the machine begins anew
#   close   stops the device (magic close), says `closed` and ends
#   end     prints `end`
#
# However else it ends, the device goes on counting: signals other than SIGKILL do not end it, and neither they nor the
# end of its input stop the device. What fails is said on standard error. Needs nothing but perl-base.
use strict;
use warnings;
use Fcntl qw(O_WRONLY);

# linux/watchdog.h, as on x86, ARM, RISC-V and s390.
use constant {
    WDIOC_GETSUPPORT => 0x80285700,
    WDIOC_SETTIMEOUT => 0xC0045706,
    WDIOC_GETTIMEOUT => 0x80045707,
    WDIOF_SETTIMEOUT => 0x0080,
    WDIOF_MAGICCLOSE => 0x0100,
};

my ($device, $seconds) = @ARGV;
if (@ARGV != 2 || $seconds !~ /^[1-9][0-9]*$/) {
    print STDERR "usage: feed.pl DEVICE SECONDS\n";
    exit 2;
}
$SIG{$_} = 'IGNORE' for qw(TERM INT HUP PIPE);
$| = 1;

# Opening starts it.
my $dog;
my $problem = sysopen($dog, $device, O_WRONLY) ? problem() : "cannot be opened: $!";
if (defined $problem && defined fileno $dog) {
    # Not ours to leave running: nobody would feed it.
    syswrite $dog, 'V';
    close $dog;
}

while (defined(my $line = <STDIN>)) {
    if    ($line eq "end\n")    { print "end\n" }
    elsif (defined $problem)    { print STDERR "$device: $problem\n" }
    elsif ($line eq "feed\n")   { syswrite($dog, "\0") or print STDERR "$device: cannot be fed: $!\n" }
    elsif ($line eq "close\n")  { stop(); last }
}

sub stop {
    syswrite($dog, 'V') or print STDERR "$device: cannot be stopped: $!\n";
    close $dog;
    print "closed\n";
}

# Why the device is not one that can be used; undefined if it is.
sub problem {
    my $support = "\0" x 40;
    ioctl($dog, WDIOC_GETSUPPORT, $support) or return "is no watchdog: $!";
    my ($options) = unpack 'I', $support;
    return 'its time cannot be set' unless $options & WDIOF_SETTIMEOUT;
    return 'it cannot be stopped in order (no magic close)' unless $options & WDIOF_MAGICCLOSE;
    my $wanted = pack 'i', $seconds;
    ioctl($dog, WDIOC_SETTIMEOUT, $wanted) or return "cannot be set to $seconds s: $!";
    my $set = pack 'i', 0;
    ioctl($dog, WDIOC_GETTIMEOUT, $set) or return "does not tell its time: $!";
    ($set) = unpack 'i', $set;
    return $set == $seconds ? undef : "bites after $set s, not after $seconds s: use that, if it will do";
}
