#!/usr/bin/perl
# Sends Ethernet frames from one interface, and hears who else claims an address there. The agent keeps it open, so that
# neighbours hear of a virtual address within a millisecond: arping takes up to 200 for its first packet. It decides
# nothing; each line of its standard input is
#
#   send HEX    sends the frame
#   address     prints the interface's hardware address in hexadecimal, or `-` for an interface that has none
#   claims HEX  prints `claim HARDWARE` for each other machine that has claimed the IP address since this was last asked:
#               by an ARP packet from it (4 bytes), or by a neighbour advertisement for it (16 bytes)
#   end         prints `end`
#
# Needs CAP_NET_RAW and nothing but perl-base. What fails is said on standard error.
use strict;
use warnings;
use Socket qw(SOCK_RAW SOL_SOCKET MSG_DONTWAIT);

use constant {
    AF_PACKET        => 17,
    SIOCGIFHWADDR    => 0x8927,
    SIOCGIFINDEX     => 0x8933,
    SO_ATTACH_FILTER => 26,
    ARPHRD_ETHER     => 1,
    ETHERTYPE_AT     => 12,
    ETHERTYPE_ARP    => 0x0806,
    ETHERTYPE_IPV6   => 0x86dd,
    SOURCE_AT        => 6,
    INTERFACE_NAME   => 16,
    UNION_BYTES      => 24,
    FRAME_BYTES      => 128,
    MOST_CLAIMS      => 1000,
};

my ($interface) = @ARGV;
if (@ARGV != 1) {
    print STDERR "usage: send-frames.pl INTERFACE\n";
    exit 2;
}
# Protocol 0: nothing that arrives is queued for us.
socket(my $socket, AF_PACKET, SOCK_RAW, 0) or die "cannot open a packet socket: $!\n";
my %listeners;
$| = 1;

while (my $line = <STDIN>) {
    if    ($line =~ /^send ([0-9a-f]+)$/)                   { send_frame(pack 'H*', $1) }
    elsif ($line eq "address\n")                            { print hardware_address(), "\n" }
    elsif ($line =~ /^claims ([0-9a-f]{8}|[0-9a-f]{32})$/) { print_claims($1) }
    elsif ($line eq "end\n")                                { print "end\n" }
}

sub send_frame {
    my ($frame) = @_;
    my $index = interface_index() // return;
    my $to = pack 'S a2 i S C C x8', AF_PACKET, substr($frame, ETHERTYPE_AT, 2), $index, 0, 0, 0;
    send($socket, $frame, 0, $to) or warn "cannot send from $interface: $!\n";
}

sub hardware_address {
    my ($kind, $address) = unpack 'S H12', ask(SIOCGIFHWADDR) // return '-';
    return $kind == ARPHRD_ETHER ? $address : '-';
}

sub print_claims {
    my ($address) = @_;
    my $index = interface_index() // return;
    my $listener = $listeners{$address};
    if (!defined $listener || $listener->{index} != $index) {
        $listener = $listeners{$address} = { index => $index, socket => listen_for(pack('H*', $address), $index) };
    }
    my $own = hardware_address();
    my %claims;
    for (1 .. MOST_CLAIMS) {
        defined recv($listener->{socket}, my $frame, FRAME_BYTES, MSG_DONTWAIT) or last;
        $claims{ unpack 'H12', substr $frame, SOURCE_AT, 6 } = 1;
    }
    delete $claims{$own};
    print "claim $_\n" for sort keys %claims;
}

# A socket that hears what claims the address and nothing else: the kernel drops all other frames.
sub listen_for {
    my ($address, $index) = @_;
    my $type = length $address == 4 ? ETHERTYPE_ARP : ETHERTYPE_IPV6;
    # Where in a frame is what value: of ARP the sender's address; of IPv6 the next header (ICMPv6), its type
    # (neighbour advertisement) and its target.
    my @tests = $type == ETHERTYPE_ARP ? ([4, 28, unpack 'N', $address]) : ([1, 20, 58], [1, 54, 136]);
    if ($type == ETHERTYPE_IPV6) {
        my @words = unpack 'N4', $address;
        push @tests, map { [4, 62 + 4 * $_, $words[$_]] } 0 .. 3;
    }
    my @code;
    for my $number (0 .. $#tests) {
        my ($bytes, $at, $value) = @{ $tests[$number] };
        my $to_drop = 2 * ($#tests - $number) + 1;
        push @code, pack('S C C L', $bytes == 4 ? 0x20 : 0x30, 0, 0, $at);    # load a word or a byte
        push @code, pack('S C C L', 0x15, 0, $to_drop, $value);               # go on if it is equal
    }
    push @code, pack('S C C L', 0x06, 0, 0, FRAME_BYTES), pack('S C C L', 0x06, 0, 0, 0);    # keep, drop
    my $code = join '', @code;

    # Bound only when the filter is there, so that nothing else gets in before.
    socket(my $listener, AF_PACKET, SOCK_RAW, 0) or die "cannot open a packet socket: $!\n";
    setsockopt($listener, SOL_SOCKET, SO_ATTACH_FILTER, pack('S x![P] P', scalar @code, $code))
        or die "cannot filter frames: $!\n";
    bind($listener, pack 'S n i S C C x8', AF_PACKET, $type, $index, 0, 0, 0) or warn "cannot hear $interface: $!\n";
    return $listener;
}

# Asked for each time: an interface that was made anew has another number.
sub interface_index {
    my $answer = ask(SIOCGIFINDEX);
    return unpack 'i', $answer if defined $answer;
    warn "$interface: $!\n";
    return undef;
}

# What the kernel says about the interface: the union of its `struct ifreq`; undef if there is no such interface.
sub ask {
    my ($request) = @_;
    my $asked = pack 'a' . INTERFACE_NAME . ' x' . UNION_BYTES, $interface;
    return ioctl($socket, $request, $asked) ? substr($asked, INTERFACE_NAME) : undef;
}
