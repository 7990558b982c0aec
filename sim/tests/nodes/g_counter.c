/*
 * A Maelstrom node for the workload `g-counter`.
 *
 * Every node counts for itself what was added, and knows the counts of the others as far as it was told. Twice a second it tells all
 * that it knows to the next of its peers. Counts only grow, so of two counts of one node the larger is the later one: a merge
 * takes the maximum, whatever was lost, doubled or late.
 *
 *     cc -O2 -o g_counter g_counter.c && ./g_counter [--bug forgets]
 *
 * Bug `forgets`: a merge takes what it is told, even where it knows better. A node forgets additions of its own that it had
 * acknowledged, when a peer tells it about older times: reads go backwards, and final reads are too low.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GOSSIP_MS 500
#define LINE_BYTES_MAX (1 << 16)

/* ---- JSON, the same in every C node here: values stay the texts that they are ------------------------------------------- */

/* A piece of a line, which ends with a zero byte. There is no such thing if `at` is null. */
struct text {
    const char *at;
    int length;
};

/* The value that begins here. */
static struct text value_at(const char *begin)
{
    const char *at = begin;
    int depth = 0, quoted = 0;
    for (; *at; at++) {
        if (quoted && *at == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*at == '{' || *at == '[')
            depth++;
        else if (depth == 0 && strchr(",:}] \t\r\n", *at))
            break;
        else if (*at == '}' || *at == ']')
            depth--;
        if (depth == 0 && !quoted && strchr("\"}]", *at)) {
            at++;
            break;
        }
    }
    return (struct text){begin, (int)(at - begin)};
}

/* The next item of an array, or the next key or value of an object, after the place `*at`. */
static struct text next_item(const char **at)
{
    *at += strspn(*at, ",: \t\r\n");
    struct text item = value_at(*at);
    *at += item.length;
    return item;
}

static int is(struct text text, const char *wanted)
{
    return text.at && (size_t)text.length == strlen(wanted) && memcmp(text.at, wanted, (size_t)text.length) == 0;
}

/* The value of a member that is there and not null. Keys are given with their quotes. */
static struct text member(struct text object, const char *key)
{
    const char *at = object.at && *object.at == '{' ? object.at + 1 : "";
    struct text name, value;
    while ((name = next_item(&at)).length && (value = next_item(&at)).length)
        if (is(name, key) && !is(value, "null"))
            return value;
    return (struct text){NULL, 0};
}

/* ---- Messages ----------------------------------------------------------------------------------------------------------- */

struct message { struct text src, dest, body, type, msg_id; };

/* Reads a line. Returns 0 if it is no message. */
static int read_message(const char *line, struct message *message)
{
    struct text whole = value_at(line);
    message->src = member(whole, "\"src\"");
    message->dest = member(whole, "\"dest\"");
    message->body = member(whole, "\"body\"");
    message->type = member(message->body, "\"type\"");
    message->msg_id = member(message->body, "\"msg_id\"");
    return message->src.at && message->dest.at && message->type.at;
}

/* Answers, unless no answer is asked for. */
static void reply(const struct message *request, const char *format, ...)
{
    va_list fields;
    if (!request->msg_id.at)
        return;
    struct text src = request->dest, dest = request->src, id = request->msg_id;
    printf("{\"src\":%.*s,\"dest\":%.*s,\"body\":{", src.length, src.at, dest.length, dest.at);
    va_start(fields, format);
    vprintf(format, fields);
    va_end(fields);
    printf(",\"in_reply_to\":%.*s}}\n", id.length, id.at);
}

static void refuse(const struct message *request)
{
    if (!member(request->body, "\"in_reply_to\"").at)
        reply(request, "\"type\":\"error\",\"code\":10,\"text\":\"no such request\"");
}

/* Whether the bug was asked for by `--bug NAME`. */
static int bug_asked_for(int count, char **arguments, const char *known)
{
    if (count == 1)
        return 0;
    if (count == 3 && strcmp(arguments[1], "--bug") == 0 && strcmp(arguments[2], known) == 0)
        return 1;
    fprintf(stderr, "usage: [--bug %s]\n", known);
    exit(2);
}

/* ---- The node ----------------------------------------------------------------------------------------------------------- */

/* What was counted at each node; the first one is this node. Names have their quotes. */
static struct count { char *name; long long added; } *counts;
static int nodes;

/* The count of a node, which is 0 if it was not known before. */
static struct count *count_of(struct text name)
{
    for (int i = 0; i < nodes; i++)
        if (is(name, counts[i].name))
            return &counts[i];
    counts = realloc(counts, (size_t)(nodes + 1) * sizeof *counts);
    if (!counts) exit(1);
    counts[nodes] = (struct count){strndup(name.at, (size_t)name.length), 0};
    return &counts[nodes++];
}

static void init(const struct message *message)
{
    struct text names = member(message->body, "\"node_ids\"");
    const char *at = names.at ? names.at + 1 : "";
    count_of(message->dest);
    for (struct text name = next_item(&at); name.length; name = next_item(&at))
        count_of(name);
    reply(message, "\"type\":\"init_ok\"");
}

static void merge(struct text told, int forgets)
{
    const char *at = told.at ? told.at + 1 : "";
    struct text name, added;
    while ((name = next_item(&at)).length && (added = next_item(&at)).length) {
        struct count *known = count_of(name);
        long long there = strtoll(added.at, NULL, 10);
        if (forgets || there > known->added) known->added = there;
    }
}

/* Tells the next peer all that is known. */
static void gossip(void)
{
    static int rounds;
    if (nodes < 2)
        return;
    const char *peer = counts[1 + rounds++ % (nodes - 1)].name;
    printf("{\"src\":%s,\"dest\":%s,\"body\":{\"type\":\"replicate\",\"counters\":{", counts[0].name, peer);
    for (int i = 0; i < nodes; i++)
        printf("%s%s:%lld", i ? "," : "", counts[i].name, counts[i].added);
    printf("}}}\n");
}

static void handle(const char *line, int forgets)
{
    struct message message;
    if (!read_message(line, &message)) {
        fprintf(stderr, "passed over %s\n", line);
    } else if (is(message.type, "\"init\"")) {
        init(&message);
    } else if (is(message.type, "\"add\"")) {
        struct text delta = member(message.body, "\"delta\"");
        count_of(message.dest)->added += delta.at ? strtoll(delta.at, NULL, 10) : 0;
        reply(&message, "\"type\":\"add_ok\"");
    } else if (is(message.type, "\"read\"")) {
        long long sum = 0;
        for (int i = 0; i < nodes; i++)
            sum += counts[i].added;
        reply(&message, "\"type\":\"read_ok\",\"value\":%lld", sum);
    } else if (is(message.type, "\"replicate\"")) {
        merge(member(message.body, "\"counters\""), forgets);
        reply(&message, "\"type\":\"replicate_ok\"");
    } else {
        refuse(&message);
    }
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Reads what there is, and handles what lines it completes. Returns 0 at the end. */
static int read_lines(int forgets)
{
    static char buffer[LINE_BYTES_MAX + 1];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, buffer + filled, LINE_BYTES_MAX - filled);
    char *line = buffer, *end;
    if (got <= 0)
        return 0; /* Also for a line that is too long: there is no room to read into. */
    filled += (size_t)got;
    while ((end = memchr(line, '\n', filled - (size_t)(line - buffer)))) {
        *end = 0;
        handle(line, forgets);
        line = end + 1;
    }
    filled -= (size_t)(line - buffer);
    memmove(buffer, line, filled);
    return 1;
}

int main(int count, char **arguments)
{
    int forgets = bug_asked_for(count, arguments, "forgets");
    setvbuf(stdout, NULL, _IOLBF, 0); /* Each line leaves at once, through a pipe too. */
    long long due = now_ms() + GOSSIP_MS;
    for (;;) {
        struct pollfd input = {STDIN_FILENO, POLLIN, 0};
        long long patience = due - now_ms();
        if (poll(&input, 1, patience > 0 ? (int)patience : 0) > 0 && !read_lines(forgets))
            return 0;
        if (now_ms() >= due) {
            gossip();
            due = now_ms() + GOSSIP_MS;
        }
    }
}
