#!/usr/bin/perl
# Sends ICMP echo requests and tells of the replies. One process of hsctl keeps it open for all its ping probes, since
# Node has no such sockets and starting ping(8) for each would cost a process. It decides nothing. Each line of its
# standard input is
#
#   ID ADDRESS SOURCE    sends a request from SOURCE (`-`: the system's choice); ID is a whole number below 2^32
#
# and each line that it prints
#
#   ok ID                the reply came
#   bad ID REASON        the request cannot be sent
#
# Where net.ipv4.ping_group_range allows it no privilege is needed, else CAP_NET_RAW. Nothing but perl-base.
use strict;
use warnings;
use Socket qw(:DEFAULT :addrinfo SOCK_DGRAM SOCK_RAW AF_INET AF_INET6 SOL_SOCKET SO_RCVBUF);

use constant {
    IPPROTO_ICMP   => 1,
    IPPROTO_ICMPV6 => 58,
    SOL_RAW        => 255,
    ICMP_FILTER    => 1,
    ICMP6_FILTER   => 1,
    ECHO_REPLY     => 0,
    ECHO_REQUEST   => 8,
    ECHO6_REQUEST  => 128,
    ECHO6_REPLY    => 129,
    LINE_LIMIT     => 65536,
    # Replies read in one go before standard input is looked at again.
    BURST          => 64,
};

open(my $urandom, '<', '/dev/urandom') or die "cannot open /dev/urandom: $!\n";
# Tells our replies from those to others, and from forged ones.
read($urandom, my $cookie, 16) == 16 or die "cannot read /dev/urandom: $!\n";
my %sockets;
my $input = '';

for (;;) {
    my $watched = '';
    vec($watched, fileno(STDIN), 1) = 1;
    vec($watched, fileno($_->{handle}), 1) = 1 for values %sockets;
    next if select(my $ready = $watched, undef, undef, undef) < 0;
    for my $socket (values %sockets) {
        receive($socket) if vec($ready, fileno($socket->{handle}), 1);
    }
    next unless vec($ready, fileno(STDIN), 1);
    exit 0 unless sysread(STDIN, $input, LINE_LIMIT, length $input);
    request($1, $2, $3) while $input =~ s/^(\d+) (\S+) (\S+)\n//;
    exit 1 if length($input) > LINE_LIMIT or $input =~ /\n/;
}

sub request {
    my ($id, $address, $source) = @_;
    my $reason = try_request($id, $address, $source);
    say_line("bad $id $reason") if defined $reason;
}

# Why the request could not be sent; undef if it was.
sub try_request {
    my ($id, $address, $source) = @_;
    my $family = $address =~ /:/ ? AF_INET6 : AF_INET;
    my ($error, $found) = getaddrinfo($address, '', { flags => AI_NUMERICHOST, family => $family, socktype => SOCK_RAW });
    return "$error" if $error;
    my ($socket, $why) = socket_for($family, $source);
    return $why unless defined $socket;
    my $type = $family == AF_INET6 ? ECHO6_REQUEST : ECHO_REQUEST;
    my $packet = pack 'C C n n n a16 N', $type, 0, 0, $$ & 0xffff, $id & 0xffff, $cookie, $id;
    # The kernel fills in the sum of version 6, as it needs the addresses.
    substr($packet, 2, 2) = pack 'n', checksum($packet) if $family == AF_INET;
    return defined send($socket->{handle}, $packet, 0, $found->{addr}) ? undef : "$!";
}

# The socket of this family and source, made when it is first needed; or undef and why not.
sub socket_for {
    my ($family, $source) = @_;
    my $key = "$family $source";
    return $sockets{$key} if defined $sockets{$key};
    my $protocol = $family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    my $raw = 0;
    my $handle;
    unless (socket($handle, $family, SOCK_DGRAM, $protocol)) {
        $raw = 1;
        socket($handle, $family, SOCK_RAW, $protocol)
            or return (undef, 'ping needs CAP_NET_RAW, or the sysctl net.ipv4.ping_group_range');
        filter_replies($handle, $family);
    }
    setsockopt($handle, SOL_SOCKET, SO_RCVBUF, pack 'i', 1 << 20);
    if ($source ne '-') {
        my ($error, $found) = getaddrinfo($source, '', { flags => AI_NUMERICHOST, family => $family, socktype => SOCK_RAW });
        return (undef, "source $source: $error") if $error;
        bind($handle, $found->{addr}) or return (undef, "source $source: $!");
    }
    # The header of IP comes along only from raw sockets of version 4.
    return $sockets{$key} = { handle => $handle, family => $family, header => $raw && $family == AF_INET };
}

# A raw socket hears all ICMP unless told otherwise.
sub filter_replies {
    my ($handle, $family) = @_;
    if ($family == AF_INET) {
        setsockopt($handle, SOL_RAW, ICMP_FILTER, pack 'L', 0xffffffff & ~(1 << ECHO_REPLY));
        return;
    }
    my @blocked = (0xffffffff) x 8;
    $blocked[ECHO6_REPLY >> 5] &= ~(1 << (ECHO6_REPLY & 31));
    setsockopt($handle, IPPROTO_ICMPV6, ICMP6_FILTER, pack 'L8', @blocked);
}

sub receive {
    my ($socket) = @_;
    for (1 .. BURST) {
        return unless defined recv($socket->{handle}, my $packet, 2048, Socket::MSG_DONTWAIT());
        $packet = substr($packet, (unpack('C', $packet) & 15) * 4) if $socket->{header} && length $packet >= 20;
        next if length($packet) < 28;
        my ($type, $heard, $id) = (unpack 'C C n n n a16 N', $packet)[0, 5, 6];
        my $wanted = $socket->{family} == AF_INET6 ? ECHO6_REPLY : ECHO_REPLY;
        say_line("ok $id") if $type == $wanted && $heard eq $cookie;
    }
}

sub say_line {
    my ($line) = @_;
    # Whoever started us is gone if nobody takes it.
    exit 0 unless defined syswrite(STDOUT, "$line\n");
}

sub checksum {
    my ($packet) = @_;
    my $sum = unpack '%32n*', $packet;
    $sum = ($sum & 0xffff) + ($sum >> 16);
    $sum = ($sum & 0xffff) + ($sum >> 16);
    return ~$sum & 0xffff;
}
