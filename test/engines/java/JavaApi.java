import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.iceberg.*;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.data.GenericRecord;
import org.apache.iceberg.data.IcebergGenerics;
import org.apache.iceberg.data.Record;
import org.apache.iceberg.data.parquet.GenericParquetWriter;
import org.apache.iceberg.deletes.BaseDVFileWriter;
import org.apache.iceberg.io.*;
import org.apache.iceberg.parquet.Parquet;
import org.apache.iceberg.puffin.Blob;
import org.apache.iceberg.puffin.Puffin;
import org.apache.iceberg.puffin.PuffinWriter;
import org.apache.iceberg.rest.RESTCatalog;
import org.apache.iceberg.types.Types;

/** Iceberg's Java API with S3FileIO. */
public class JavaApi {
  static final String LOCATION = "s3://lake/wh/ns/" + System.getenv("TABLE");
  static final TableIdentifier NAME =
      TableIdentifier.of(Namespace.of("ns"), System.getenv("TABLE"));
  static final Schema SCHEMA =
      new Schema(
          Types.NestedField.required(1, "id", Types.LongType.get()),
          Types.NestedField.optional(2, "name", Types.StringType.get()));

  static RESTCatalog catalog(String token) {
    RESTCatalog catalog = new RESTCatalog();
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("uri", System.getenv("CATALOG_URL"));
    properties.put("warehouse", "wh");
    properties.put("token", System.getenv(token));
    properties.put("io-impl", "org.apache.iceberg.aws.s3.S3FileIO");
    properties.put("header.X-Iceberg-Access-Delegation", "vended-credentials");
    catalog.initialize("wh", properties);
    return catalog;
  }

  static Table table() {
    return catalog("TOKEN").loadTable(NAME);
  }

  static Table create(String version) {
    return catalog("TOKEN_ALL")
        .buildTable(NAME, SCHEMA)
        .withProperty("format-version", version)
        .create();
  }

  static DataFile write(Table table) throws Exception {
    String path = table.locationProvider().newDataLocation(java.util.UUID.randomUUID() + ".parquet");
    DataWriter<Record> writer =
        Parquet.writeData(table.io().newOutputFile(path))
            .forTable(table)
            .createWriterFunc(GenericParquetWriter::create)
            .overwrite()
            .build();
    try (writer) {
      for (long i = 0; i < 10; i++) {
        GenericRecord record = GenericRecord.create(table.schema());
        record.setField("id", i);
        record.setField("name", "n" + i);
        writer.write(record);
      }
    }
    return writer.toDataFile();
  }

  static void append(Table table) throws Exception {
    table.newAppend().appendFile(write(table)).commit();
  }

  static Table createWithRows(String version) throws Exception {
    Table table = create(version);
    append(table);
    return table;
  }

  static void deletionVector(Table table) throws Exception {
    OutputFileFactory files =
        OutputFileFactory.builderFor(table, 1, 1).format(FileFormat.PUFFIN).build();
    BaseDVFileWriter writer = new BaseDVFileWriter(files, path -> null);
    String data;
    try (CloseableIterable<FileScanTask> tasks = table.newScan().planFiles()) {
      data = tasks.iterator().next().file().location();
    }
    try (writer) {
      writer.delete(data, 0L, table.spec(), null);
    }
    RowDelta delta = table.newRowDelta();
    writer.result().deleteFiles().forEach(delta::addDeletes);
    delta.commit();
  }

  static void statistics(Table table) throws Exception {
    long snapshot = table.currentSnapshot().snapshotId();
    String path = LOCATION + "/metadata/" + java.util.UUID.randomUUID() + ".stats";
    OutputFile file = table.io().newOutputFile(path);
    PuffinWriter writer = Puffin.write(file).createdBy("engines").build();
    try (writer) {
      writer.add(
          new Blob("sketch", List.of(1), snapshot, 1, ByteBuffer.wrap(new byte[] {1})));
    }
    List<BlobMetadata> blobs = new ArrayList<>();
    writer.writtenBlobsMetadata().forEach(blob -> blobs.add(GenericBlobMetadata.from(blob)));
    GenericStatisticsFile statistics =
        new GenericStatisticsFile(snapshot, path, writer.fileSize(), writer.footerSize(), blobs);
    table.updateStatistics().setStatistics(statistics).commit();
  }

  static int read(Table table) throws Exception {
    int count = 0;
    try (CloseableIterable<Record> records = IcebergGenerics.read(table).build()) {
      for (Record ignored : records) count++;
    }
    return count;
  }

  public static void main(String[] args) throws Exception {
    Map<String, Harness.Operation> operations = new LinkedHashMap<>();
    Callable<?> rows = () -> createWithRows("2");
    Callable<?> twoSnapshots =
        Harness.doing(
            () -> {
              Table table = createWithRows("2");
              table.newDelete().deleteFromRowFilter(org.apache.iceberg.expressions.Expressions.alwaysTrue()).commit();
              append(table);
            });
    operations.put(
        "create", new Harness.Operation(() -> null, () -> catalog("TOKEN").createTable(NAME, SCHEMA)));
    operations.put(
        "first-append", new Harness.Operation(() -> create("2"), Harness.doing(() -> append(table()))));
    operations.put("append", new Harness.Operation(rows, Harness.doing(() -> append(table()))));
    operations.put("read", new Harness.Operation(rows, () -> read(table())));
    operations.put(
        "delete-files",
        new Harness.Operation(
            rows,
            Harness.doing(
                () ->
                    table()
                        .newDelete()
                        .deleteFromRowFilter(org.apache.iceberg.expressions.Expressions.alwaysTrue())
                        .commit())));
    operations.put(
        "delete-rows-format-v3",
        new Harness.Operation(() -> createWithRows("3"), Harness.doing(() -> deletionVector(table()))));
    operations.put("write-statistics", new Harness.Operation(rows, Harness.doing(() -> statistics(table()))));
    operations.put(
        "expire-snapshots",
        new Harness.Operation(
            twoSnapshots,
            Harness.doing(
                () ->
                    table()
                        .expireSnapshots()
                        .expireOlderThan(System.currentTimeMillis())
                        .retainLast(1)
                        .commit())));
    operations.put(
        "list-prefix",
        new Harness.Operation(
            rows,
            Harness.doing(
                () ->
                    ((SupportsPrefixOperations) table().io())
                        .listPrefix(LOCATION + "/")
                        .iterator()
                        .next())));
    operations.put(
        "list-prefix-without-slash",
        new Harness.Operation(
            rows,
            Harness.doing(
                () ->
                    ((SupportsPrefixOperations) table().io())
                        .listPrefix(LOCATION)
                        .iterator()
                        .next())));
    operations.put(
        "delete-prefix",
        new Harness.Operation(
            rows,
            Harness.doing(
                () -> ((SupportsPrefixOperations) table().io()).deletePrefix(LOCATION + "/data/"))));
    operations.put(
        "drop-purge", new Harness.Operation(rows, () -> catalog("TOKEN").dropTable(NAME, true)));

    Harness.run(IcebergBuild.version(), operations, args[0]);
  }
}
