//! Models by views: PRAM and causal memory, and the view of one key that monotonic reads are about.
//!
//! Invariant: each question put to [`Serial`] is the definition to the letter: its nodes are all writes and the reads of
//! one process, and its edges are those that the model asks for.
//!
//! What is deliberately absent: agreement between the views of different processes.

use super::{
    Found, Rules,
    serial::{Flaw, Serial, Why},
    web::{Node, Web},
};

/// Is there, for each process, an order of all writes and its reads that keeps to the order of every process; and, if it
/// is `causal`, to what anybody read from whom?
pub(super) fn whole<R: Rules>(web: &Web, is_causal: bool) -> Found {
    let mut tested = 0;
    let writers = writers(web, web.keys, &|node| Some(node.key));
    for process in 0..web.processes {
        let reads: Vec<_> = web.reads(process).map(|(at, node, source)| (at, source, node.key)).collect();
        tested += reads.len();
        if reads.is_empty() {
            continue;
        }
        let mut edges: Vec<(usize, usize, Why)> = loose_edges(web);
        for (at, node) in web
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.chain == process || (is_causal && R::READS_OF_OTHERS_COUNT))
        {
            edges.extend(node.source.flatten().map(|source| (source, at, Why::Source)));
        }
        let places = web.nodes.iter().map(|node| (node.chain, node.at)).collect();
        let (chains, writers) = (web.chains.clone(), writers.clone());
        let mut serial = Serial { places, chains, edges, reads, writers, is_process_order_whole: true };
        if let Some(flaw) = serial.flaw::<R>() {
            let support = serial.support(&flaw);
            return Found::Flaw { process, flaw, support };
        }
    }
    Found::None { tested }
}

/// What the processes of writes of unknown fate had done before.
fn loose_edges(web: &Web) -> Vec<(usize, usize, Why)> {
    let loose = web.chains[web.processes..].iter().flatten();
    loose.filter_map(|&at| Some((web.nodes[at].previous?, at, Why::Process))).collect()
}

/// Writes by group and chain.
fn writers(web: &Web, groups: usize, group: &dyn Fn(&Node) -> Option<usize>) -> Vec<Vec<Vec<usize>>> {
    let mut writers = vec![vec![Vec::new(); web.chains.len()]; groups];
    for (at, node) in web.nodes.iter().enumerate().filter(|(_, node)| node.is_write) {
        if let Some(group) = group(node) {
            writers[group][node.chain].push(at);
        }
    }
    writers
}

/// Is there, for each process and key, an order of the writes of the key and the process's reads of it, that keeps to the
/// order of every process's writes and to that of the reads?
pub(super) fn monotonic_reads<R: Rules>(web: &Web) -> Found {
    let writers = writers(web, web.keys, &|node| Some(node.key));
    let mut tested = 0;
    for process in 0..web.processes {
        let mut reads: Vec<Vec<usize>> = vec![Vec::new(); web.keys];
        web.reads(process).for_each(|(at, node, _)| reads[node.key].push(at));
        for (key, reads) in reads.iter().enumerate().filter(|(_, reads)| !reads.is_empty()) {
            tested += reads.len() - 1;
            let (mut serial, nodes) = of_key(web, &writers[key], reads);
            if let Some(flaw) = serial.flaw::<R>() {
                let support = serial.support(&flaw).into_iter().map(|node| nodes[node]).collect();
                return Found::Flaw { process, flaw: renamed(flaw, &nodes), support };
            }
        }
    }
    Found::None { tested }
}

/// The view of one key, with the nodes by their numbers in it.
fn of_key(web: &Web, writers: &[Vec<usize>], reads: &[usize]) -> (Serial, Vec<usize>) {
    let mut nodes: Vec<usize> = writers.iter().flatten().copied().collect();
    nodes.extend(reads.iter().filter(|&&read| !web.nodes[read].is_write));
    nodes.sort_unstable();
    // Sources are writes of the key, and all of these are among the nodes.
    let number = |node: usize| nodes.partition_point(|other| *other < node);
    let mut chains: Vec<Vec<usize>> =
        writers.iter().map(|own| own.iter().map(|&node| number(node)).collect()).collect();
    chains.retain(|chain: &Vec<usize>| !chain.is_empty());
    chains.push(reads.iter().filter(|&&read| !web.nodes[read].is_write).map(|&read| number(read)).collect());
    let mut places = vec![(0, 0); nodes.len()];
    for (chain, own) in chains.iter().enumerate() {
        own.iter().enumerate().for_each(|(at, &node)| places[node] = (chain, at));
    }
    let mut edges: Vec<_> = reads.windows(2).map(|pair| (number(pair[0]), number(pair[1]), Why::Process)).collect();
    for &loose in writers[web.processes..].iter().flatten() {
        let Some(previous) = web.nodes[loose].previous.map(|previous| &web.nodes[previous]) else { continue };
        let own = &writers[previous.chain];
        let earlier = own.partition_point(|&write| web.nodes[write].at <= previous.at);
        edges.extend(own[..earlier].last().map(|&write| (number(write), number(loose), Why::Process)));
    }
    let sources = |&read: &usize| (number(read), web.nodes[read].source.flatten().map(number), 0);
    let reads: Vec<_> = reads.iter().map(sources).collect();
    edges.extend(reads.iter().filter_map(|&(read, source, _)| Some((source?, read, Why::Source))));
    let writers =
        chains.iter().enumerate().map(|(at, own)| if at + 1 < chains.len() { own.clone() } else { Vec::new() });
    let writers = vec![writers.collect()];
    (Serial { places, chains, edges, reads, writers, is_process_order_whole: false }, nodes)
}

fn renamed(flaw: Flaw, nodes: &[usize]) -> Flaw {
    let why = |why| if let Why::Kept(read) = why { Why::Kept(nodes[read]) } else { why };
    let steps = |steps: Vec<(usize, usize, Why)>| {
        steps.into_iter().map(|(from, to, reason)| (nodes[from], nodes[to], why(reason))).collect()
    };
    match flaw {
        Flaw::Cycle(cycle) => Flaw::Cycle(steps(cycle)),
        Flaw::Beginning(path) => Flaw::Beginning(steps(path)),
    }
}
