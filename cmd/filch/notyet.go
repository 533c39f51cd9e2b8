package main

import (
	"slices"
	"strings"
)

// notYet reports whether name is a flag of GNU parallel (20221122, with its aliases) that run
// does not have yet, to tell it from a mistake.
func notYet(name string) bool {
	return slices.Contains(strings.Fields(notYetFlags), name)
}

const notYetFlags = `
	B C D E H I J L M N S T U V W X Y b c d e f i l m p s t v x arg-file-sep argfilesep arg-sep
	argsep basefile bf basenameextensionreplace bner basenamereplace bnr bg bin block block-size
	block-timeout blocksize blocktimeout bt bug cat citation cleanup col-sep color color-fail
	color-failed colorfail colorfailed colour colour-fail colour-failed colourfail colourfailed cf
	colsep compress compress-program compressprogram controlmaster csv ctag ctag-string ctagstring
	ctrl-c ctrlc debug decompress-program decompressprogram delimiter dirnamereplace dnr embed
	eof er exit extensionreplace fg fifo files filter filter-host filter-hosts filterhosts group-by
	groupby hashbang header hgrp hostgroup hostgroups hostgrp id interactive latest-line latestline
	limit link linkinputsource ll load max-chars max-line-length-allowed max-lines max-replace-args
	maxchars maxlinelengthallowed maxlines maxreplaceargs memfree memsuspend minversion no-ctrl-c
	no-ctrlc no-k no-keep-order noctrlc nok nokeeporder nonall noswap number-of-cores number-of-cpus
	number-of-sockets number-of-threads numberofcores numberofcpus numberofsockets numberofthreads
	onall open-tty output-as-files outputasfiles parens parset pipe pipe-part pipepart plain plus
	process-slot-var processslotvar profile progress recend record-env recordenv recstart regex
	regexp remove-rec-sep removerecsep replace resume-failed resumefailed retry-failed retryfailed
	return round round-robin roundrobin rpl rrs rsync-opts rsyncopts semaphore semaphore-name
	semaphore-timeout semaphorename semaphoretimeout seqreplace session shard shebang shebang-wrap
	shell-completion shell-quote shell_quote shellcompletion shellquote show-limits showlimits shuf
	skip-first-line skipfirstline slf slotreplace spreadstdin sql sql-and-worker sql-master
	sql-worker sqlandworker sqlmaster sqlworker ssh ssh-delay sshdelay sshlogin sshloginfile st
	tag-string tagstring tee template tempdir term-seq termseq tf tmpdir tmpl tmux tmux-pane
	tmuxpane tollef total total-jobs totaljobs transfer transfer-file transfer-files transferfile
	transferfiles trc trim tty use-compress-program use-cores-instead-of-threads
	use-cpus-instead-of-cores use-decompress-program use-sockets-instead-of-threads
	usecompressprogram usecoresinsteadofthreads usecpusinsteadofcores usedecompressprogram
	usesocketsinsteadofthreads verbose version wait xapply xapplyinputsource xargs`
