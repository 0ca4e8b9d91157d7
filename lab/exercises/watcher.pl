# Tells `lab exercise watch` when something changes on this host. It only looks: no file is written, nothing is started.
#
#   perl - PROC PATH[:DEPTH] ...
#
# Twice a second it makes one number of
#   - each file at and below the paths: mode, owner, size, times, and the text of one that was just written,
#   - the TCP ports on which something listens,
#   - the processes of nginx, Node, npm and pm2 (a reload or a restart makes new ones),
# and prints the number when it is another than before. A byte on standard input asks for it at once; when standard
# input ends, because the watching command has, so does this.
use strict;
use warnings;

my ($proc, @paths) = @ARGV;
my %skipped = map { $_ => 1 } qw(node_modules .git .npm .cache);
my %pm2 = map { $_ => 1 } qw(logs pids touch);    # pm2 writes these by itself
my %text;                                           # path => [how the file looked, its text's number]
$| = 1;

# A number of 64 bits for a text, in hexadecimal.
sub number {
    use integer;
    my $n = -3750763034362895579;
    $n = ($n ^ $_) * 1099511628211 for unpack "N*", "$_[0]\0\0\0";
    return sprintf "%016x", $n;
}

# A line for a path, and for all that is in it down to a depth.
sub look {
    my ($path, $depth) = @_;
    my @s = lstat $path or return "";
    my $line = "$path @s[1, 2, 4, 5, 7, 9, 10]\n";    # inode, mode, owner, group, size, modified, changed
    if (-f _) {
        # Times are whole seconds: what was written in this second may be written again, and look the same.
        my $known = $text{$path};
        if (!$known || $known->[0] ne $line || $s[9] >= time - 2) {
            my $read = "";
            if (open my $file, "<", $path) { sysread $file, $read, 65536; close $file }
            $known = $text{$path} = [$line, number($read)];
        }
        return $line . $known->[1];
    }
    return $line unless -d _ && $depth && opendir(my $folder, $path);
    my $in_pm2 = $path =~ m{/\.pm2$};
    for my $name (sort readdir $folder) {
        next if $name eq "." || $name eq ".." || $skipped{$name} || $in_pm2 && $pm2{$name};
        next if $name =~ /\.log$/;    # every visitor may write a line there, and a check is one
        $line .= look("$path/$name", $depth - 1);
    }
    return $line;
}

# The lines of one of the kernel's own files.
sub lines {
    open my $file, "<", "$proc/$_[0]" or return;
    return <$file>;
}

# The addresses and ports on which something listens. The kernel goes through all its connections for that, which
# may take it 10 ms; so it is asked only when there is a reason.
sub listening {
    return join " ", sort map { /^\s*\d+: (\S+) \S+ 0A / } map { lines("net/$_") } "tcp", "tcp6";
}

# How many TCP sockets there are; this it knows by heart.
sub sockets {
    return join " ", map { /^TCP6?: inuse (\d+)/ } map { lines("net/$_") } "sockstat", "sockstat6";
}

# The numbers of the processes that serve the site.
sub serving {
    opendir(my $folder, $proc) or return "";
    my @all = sort grep { /^\d+$/ } readdir $folder;
    return join " ", grep { ((lines("$_/comm"))[0] // "") =~ /^(?:nginx|node|npm|PM2|MainThread)/ } @all;
}

my ($last, $reason_before, $ports, $looks, $asked) = ("", "", "", 0, 0);
while (1) {
    my $things = join "\n", (map { /^(.*?)(?::(\d+))?$/ && look($1, $2 // 20) } @paths), serving();
    my $reason = $things . sockets();
    $ports = listening() if $asked || $reason ne $reason_before || $looks++ % 20 == 0;
    $reason_before = $reason;

    my $state = "$things\n$ports";
    if ($asked || $state ne $last) {
        print(($asked ? "= " : "! ") . number($state) . "\n") or exit;
        $last = $state;
    }
    vec(my $stdin = "", 0, 1) = 1;
    $asked = select $stdin, undef, undef, 0.5;
    exit if $asked && !sysread STDIN, my $byte, 1;
}
__END__
