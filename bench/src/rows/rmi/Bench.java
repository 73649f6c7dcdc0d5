// Both ends of the row `rmi`, run from this source: `serve`, or `drive` and the port of the registry. It ends when
// its standard input does.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.rmi.Remote;
import java.rmi.RemoteException;
import java.rmi.registry.LocateRegistry;
import java.rmi.server.RMIServerSocketFactory;
import java.rmi.server.UnicastRemoteObject;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public final class Bench {
    public interface Adder extends Remote {
        long add(long a, long b) throws RemoteException;
    }

    public interface Factory extends Adder {
        byte[] echo(byte[] bytes) throws RemoteException;

        long sum(byte[] bytes) throws RemoteException;

        Adder make() throws RemoteException;

        /** An object whose calls call `adder` back. */
        Adder back(Adder adder) throws RemoteException;
    }

    static class Sum implements Adder {
        public long add(long a, long b) {
            return a + b;
        }
    }

    static final class Back implements Adder {
        private final Adder adder;

        Back(Adder adder) {
            this.adder = adder;
        }

        public long add(long a, long b) throws RemoteException {
            return adder.add(a, b);
        }
    }

    static final class Servant extends Sum implements Factory {
        public byte[] echo(byte[] bytes) {
            return bytes;
        }

        public long sum(byte[] bytes) {
            return total(bytes);
        }

        public Adder make() throws RemoteException {
            return (Adder) UnicastRemoteObject.exportObject(new Sum(), 0);
        }

        public Adder back(Adder adder) throws RemoteException {
            return (Adder) UnicastRemoteObject.exportObject(new Back(adder), 0);
        }
    }

    interface Call {
        void run() throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in));
        if (arguments[0].equals("serve")) {
            serve();
            while (orders.readLine() != null) {}
        } else {
            drive(Integer.parseInt(arguments[1]), orders);
        }
        System.exit(0);
    }

    static Servant served;

    /** Says where the registry listens. */
    static void serve() throws Exception {
        int[] port = new int[1];
        RMIServerSocketFactory listen = wanted -> {
            ServerSocket socket = new ServerSocket(wanted, 1024, InetAddress.getLoopbackAddress());
            port[0] = socket.getLocalPort();
            return socket;
        };
        served = new Servant();
        var registry = LocateRegistry.createRegistry(0, null, listen);
        int where = port[0];
        registry.rebind("bench", UnicastRemoteObject.exportObject(served, 0));
        System.out.println(where);
    }

    static void drive(int port, BufferedReader orders) throws Exception {
        Factory factory = (Factory) LocateRegistry.getRegistry("127.0.0.1", port).lookup("bench");
        Adder back = factory.back((Adder) UnicastRemoteObject.exportObject(new Sum(), 0));
        warm(factory, back);
        System.out.println("ready");
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            String[] order = line.split(" ");
            String answer;
            try {
                answer = run(factory, back, order[0], Integer.parseInt(order[1]), Long.parseLong(order[2]));
            } catch (Exception error) {
                answer = "failed " + error.toString().replace('\n', ' ');
            }
            System.out.println(answer);
        }
    }

    /** Both ends compile what is called often, in the order in which it will be. */
    static void warm(Factory factory, Adder back) throws Exception {
        for (String work : new String[] {"add", "member", "callback", "tasks"}) {
            run(factory, back, work, 4, WARM / 8);
        }
        for (String work : new String[] {"echo", "sum", "echo"}) {
            run(factory, back, work, 64 << 10, WARM / 8);
        }
        run(factory, back, "add", 0, WARM / 8);
    }

    /** Nanoseconds. */
    static final long WARM = 4_000_000_000L;

    static String run(Factory factory, Adder back, String work, int size, long time) throws Exception {
        byte[] data = pattern(work.equals("echo") || work.equals("sum") ? size : 0);
        long sum = total(data);
        long mark = mark(data);
        switch (work) {
            case "add":
                return sequence(time, () -> expect(factory.add(1, 2), 3));
            case "echo":
                return sequence(time, () -> expect(mark(factory.echo(data)), mark));
            case "sum":
                return sequence(time, () -> expect(factory.sum(data), sum));
            case "member":
                Adder member = factory.make();
                return sequence(time, () -> expect(member.add(1, 2), 3));
            case "callback":
                return sequence(time, () -> expect(back.add(1, 2), 3));
            case "tasks":
                return threads(factory, size, time);
            default:
                throw new IllegalArgumentException("no such work: " + work);
        }
    }

    /** One call after the other: how many, how long, and what half and 99 of 100 of them did not exceed. */
    static String sequence(long time, Call call) throws Exception {
        long[] laps = new long[(int) (time / 1000) + 1];
        int calls = 0;
        long started = System.nanoTime();
        long last = started;
        do {
            call.run();
            long now = System.nanoTime();
            laps[calls++] = now - last;
            last = now;
        } while (last - started < time && calls < laps.length);
        Arrays.sort(laps, 0, calls);
        long half = laps[(calls - 1) * 50 / 100];
        return calls + " " + (last - started) + " " + half + " " + laps[(int) ((calls - 1) * 99L / 100)];
    }

    /** As many threads, each with one call at a time. */
    static String threads(Factory factory, int depth, long time) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(depth);
        long started = System.nanoTime();
        Callable<Long> one = () -> {
            long calls = 0;
            while (System.nanoTime() - started < time) {
                for (int i = 0; i < 16; i++) {
                    calls++;
                    expect(factory.add(calls, 1), calls + 1);
                }
            }
            return calls;
        };
        long calls = 0;
        for (Future<Long> each : pool.invokeAll(java.util.Collections.nCopies(depth, one))) {
            calls += each.get();
        }
        long took = System.nanoTime() - started;
        pool.shutdown();
        return calls + " " + took;
    }

    static byte[] pattern(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i * 31 + 7);
        }
        return bytes;
    }

    static long total(byte[] bytes) {
        long sum = 0;
        for (byte each : bytes) {
            sum += each & 0xff;
        }
        return sum;
    }

    /// All bytes, read a word at a time.
    static long mark(byte[] bytes) {
        ByteBuffer words = ByteBuffer.wrap(bytes);
        long sum = 0;
        while (words.remaining() >= Long.BYTES) {
            sum += words.getLong();
        }
        while (words.hasRemaining()) {
            sum += words.get() & 0xff;
        }
        return sum;
    }

    static void expect(long found, long want) {
        if (found != want) {
            throw new IllegalStateException(found + " instead of " + want);
        }
    }
}
