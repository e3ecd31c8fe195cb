#!/usr/bin/perl
# Sends Ethernet frames from one interface. The agent keeps it open, so that neighbours hear of a virtual address within
# a millisecond: arping takes up to 200 for its first packet. It decides nothing; each line of its standard input is
#
#   send HEX    sends the frame
#   address     prints the interface's hardware address in hexadecimal, or `-` for an interface that has none
#   end         prints `end`
#
# Needs CAP_NET_RAW and nothing but perl-base. What fails is said on standard error.
use strict;
use warnings;
use Socket qw(SOCK_RAW);

use constant {
    AF_PACKET      => 17,
    SIOCGIFHWADDR  => 0x8927,
    SIOCGIFINDEX   => 0x8933,
    ARPHRD_ETHER   => 1,
    ETHERTYPE_AT   => 12,
    INTERFACE_NAME => 16,
    UNION_BYTES    => 24,
};

my ($interface) = @ARGV;
if (@ARGV != 1) {
    print STDERR "usage: send-frames.pl INTERFACE\n";
    exit 2;
}
# Protocol 0: nothing that arrives is queued for us.
socket(my $socket, AF_PACKET, SOCK_RAW, 0) or die "cannot open a packet socket: $!\n";
$| = 1;

while (my $line = <STDIN>) {
    if    ($line =~ /^send ([0-9a-f]+)$/) { send_frame(pack 'H*', $1) }
    elsif ($line eq "address\n")          { print hardware_address(), "\n" }
    elsif ($line eq "end\n")              { print "end\n" }
}

sub send_frame {
    my ($frame) = @_;
    # Asked for each time: an interface that was made anew has another number.
    my $answer = ask(SIOCGIFINDEX);
    return warn "$interface: $!\n" unless defined $answer;
    my $to = pack 'S a2 i S C C x8', AF_PACKET, substr($frame, ETHERTYPE_AT, 2), unpack('i', $answer), 0, 0, 0;
    send($socket, $frame, 0, $to) or warn "cannot send from $interface: $!\n";
}

sub hardware_address {
    my ($kind, $address) = unpack 'S H12', ask(SIOCGIFHWADDR) // return '-';
    return $kind == ARPHRD_ETHER ? $address : '-';
}

# What the kernel says about the interface: the union of its `struct ifreq`; undef if there is no such interface.
sub ask {
    my ($request) = @_;
    my $asked = pack 'a' . INTERFACE_NAME . ' x' . UNION_BYTES, $interface;
    return ioctl($socket, $request, $asked) ? substr($asked, INTERFACE_NAME) : undef;
}
